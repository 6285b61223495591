/** Pattern of a `content` as bytes: text with `|hex|` parts and `\` escapes. */
export function parsePattern(text: string): Uint8Array {
  const out: number[] = [];
  let hex: string | undefined;
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (hex !== undefined) {
      if (c === '|') {
        if (hex.length % 2 !== 0) throw new Error('the hexadecimal part has an odd number of digits');
        for (let k = 0; k < hex.length; k += 2) out.push(parseInt(hex.slice(k, k + 2), 16));
        hex = undefined;
      } else if (/[0-9a-fA-F]/.test(c)) hex += c;
      else if (c !== ' ' && c !== ',') throw new Error(`"${c}" is not a hexadecimal digit`);
    } else if (c === '|') hex = '';
    else if (c === '\\' && i + 1 < text.length) {
      i++;
      if (!/[\\";:]/.test(text[i]!)) throw new Error(`"\\" before "${text[i]!}" is written \\\\`);
      pushUtf8(out, text[i]!);
    } else pushUtf8(out, c);
  }
  if (hex !== undefined) throw new Error('the hexadecimal part is not closed by "|"');
  if (out.length === 0) throw new Error('the pattern is empty');
  if (out.length > 8192) throw new Error(`the pattern has ${out.length} bytes, 8192 are allowed`);
  return Uint8Array.from(out);
}

function pushUtf8(out: number[], char: string): void {
  const code = char.charCodeAt(0);
  if (code < 128) out.push(code);
  else out.push(...Buffer.from(char, 'utf8'));
}

/** Splits `!"..."` into its sign and its text. */
export function splitNegation(value: string): { negated: boolean; text: string } {
  const trimmed = value.trim();
  const negated = trimmed.startsWith('!');
  const rest = negated ? trimmed.slice(1).trim() : trimmed;
  const quoted = rest.length >= 2 && rest.startsWith('"') && rest.endsWith('"');
  return { negated, text: quoted ? rest.slice(1, -1) : rest };
}

/** Text of an option as a regular expression that finds just it; `/` is escaped, too. */
export function escapePattern(text: string): string {
  return text.replace(/\\(["\\;:])/g, '$1').replace(/[/\\^$.*+?()[\]{}|]/g, '\\$&');
}

/** ASCII lower case. */
export function foldByte(byte: number): number {
  return byte >= 65 && byte <= 90 ? byte + 32 : byte;
}

export const FOLD = Uint8Array.from({ length: 256 }, (_, i) => foldByte(i));
