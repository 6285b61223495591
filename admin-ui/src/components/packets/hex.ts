export interface HexPart {
  text: string;
  marked: boolean;
}
export interface HexRow {
  offset: string;
  bytes: HexPart[];
  text: HexPart[];
}

const WIDTH = 16;

/** Lines of a hex dump of two-digit bytes; bytes of `range` are marked. What is not printable ASCII shows as a dot. */
export function hexRows(hex: string, range: { offset: number; length: number } | null): HexRow[] {
  const rows: HexRow[] = [];
  const count = Math.floor(hex.length / 2);
  for (let start = 0; start < count; start += WIDTH) {
    const bytes: HexPart[] = [];
    const text: HexPart[] = [];
    for (let i = start; i < start + WIDTH && i < count; i += 1) {
      const digits = hex.slice(i * 2, i * 2 + 2);
      const code = Number.parseInt(digits, 16);
      const marked = range !== null && i >= range.offset && i < range.offset + range.length;
      append(bytes, i - start === WIDTH / 2 ? ` ${digits} ` : `${digits} `, marked);
      append(text, code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : '.', marked);
    }
    rows.push({ offset: start.toString(16).padStart(4, '0'), bytes, text });
  }
  return rows;
}

function append(parts: HexPart[], text: string, marked: boolean): void {
  const last = parts[parts.length - 1];
  if (last?.marked === marked) last.text += text;
  else parts.push({ text, marked });
}
