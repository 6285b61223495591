/** Lengths of the codes of bytes 0 to 255 and of the end (RFC 7541 appendix B), in base 36; the codes follow from them. */
const LENGTHS =
  'dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6cad6777777777777777777777787' +
  '8djde6f56565666577666567655677777fbedskmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllml' +
  'nmnnkmmmnmmnqqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrqu';
const END = 256;

/** Nodes of the code tree, two a node: the next one, or the symbol as a negative number. */
const tree = new Int16Array(2 * 512);

function build(): void {
  const lengths = [...LENGTHS].map((c) => parseInt(c, 36));
  const order = lengths.map((length, symbol) => ({ length, symbol }));
  order.sort((a, b) => a.length - b.length || a.symbol - b.symbol);
  let code = 0;
  let last = 0;
  let nodes = 1;
  for (const { length, symbol } of order) {
    code *= 2 ** (length - last);
    last = length;
    let node = 0;
    for (let bit = length - 1; bit >= 0; bit--) {
      const at = 2 * node + (Math.floor(code / 2 ** bit) & 1);
      if (bit === 0) tree[at] = -1 - symbol;
      else {
        if (tree[at] === 0) tree[at] = nodes++;
        node = tree[at]!;
      }
    }
    code++;
  }
}
build();

/** Decodes a Huffman string of HPACK as far as it is sound. */
export function decodeHuffman(data: Uint8Array): Uint8Array {
  const out = new Uint8Array(Math.ceil((data.length * 8) / 5));
  let n = 0;
  let node = 0;
  for (const byte of data) {
    for (let bit = 7; bit >= 0; bit--) {
      const next = tree[2 * node + ((byte >> bit) & 1)]!;
      if (next >= 0) {
        node = next;
        continue;
      }
      const symbol = -1 - next;
      if (symbol === END) return out.subarray(0, n);
      out[n++] = symbol;
      node = 0;
    }
  }
  return out.subarray(0, n);
}
