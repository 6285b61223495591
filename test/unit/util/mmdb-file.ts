type Value = string | number | { readonly [key: string]: Value };

const bytes = (n: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => Math.floor(n / 256 ** (count - 1 - i)) & 255);

/** A field of the data section: short texts, 32-bit numbers and small maps. */
function encode(value: Value): number[] {
  if (typeof value === 'number') return [0xc4, ...bytes(value, 4)];
  if (typeof value === 'string') {
    const text = Buffer.from(value);
    return text.length < 29 ? [0x40 | text.length, ...text] : [0x40 | 29, text.length - 29, ...text];
  }
  const entries = Object.entries(value);
  return [0xe0 | entries.length, ...entries.flatMap(([key, inner]) => [...encode(key), ...encode(inner)])];
}

/** A MaxMind DB of IPv4 prefixes, which do not overlap, with a record each; made by the format's description. */
export function mmdbFile(entries: readonly (readonly [address: string, prefix: number, record: Value])[]): Uint8Array {
  const nodes: [number, number][] = [[-1, -1]];
  const leaves: [node: number, bit: 0 | 1, pointer: number][] = [];
  const data: number[] = [];
  for (const [address, prefix, record] of entries) {
    const number = address.split('.').reduce((value, part) => value * 256 + Number(part), 0);
    let node = 0;
    for (let i = 0; i < prefix; i++) {
      const bit = ((number >>> (31 - i)) & 1) as 0 | 1;
      if (i === prefix - 1) leaves.push([node, bit, data.length]);
      else {
        if (nodes[node]![bit] < 0) {
          nodes[node]![bit] = nodes.length;
          nodes.push([-1, -1]);
        }
        node = nodes[node]![bit];
      }
    }
    data.push(...encode(record));
  }
  for (const [node, bit, pointer] of leaves) nodes[node]![bit] = nodes.length + 16 + pointer;
  const tree = nodes.flat().flatMap((child) => bytes(child < 0 ? nodes.length : child, 3));
  const meta = encode({ node_count: nodes.length, record_size: 24, ip_version: 4 });
  const marker = [0xab, 0xcd, 0xef, ...Buffer.from('MaxMind.com')];
  return Uint8Array.from([...tree, ...Array<number>(16).fill(0), ...data, ...marker, ...meta]);
}
