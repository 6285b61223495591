/** Value of each base64 character, -1 for others. */
const VALUES = new Int8Array(256).fill(-1);
for (const [i, c] of [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'].entries())
  VALUES[c.charCodeAt(0)] = i;
const PAD = 61;

/** Decodes base64 (RFC 2045) as it comes, wherever it is cut; characters that are none are left out. */
export class Base64Stream {
  private bits = 0;
  private held = 0;
  private readonly emit: (data: Uint8Array) => void;

  constructor(emit: (data: Uint8Array) => void) {
    this.emit = emit;
  }

  push(data: Uint8Array): void {
    const out = new Uint8Array(Math.ceil((data.length * 3) / 4) + 1);
    let n = 0;
    for (const c of data) {
      const value = VALUES[c]!;
      if (value < 0) {
        if (c === PAD) this.held = this.bits = 0;
        continue;
      }
      this.held = ((this.held << 6) | value) & 0xffffff;
      this.bits += 6;
      if (this.bits >= 8) {
        this.bits -= 8;
        out[n++] = (this.held >> this.bits) & 255;
      }
    }
    if (n > 0) this.emit(out.subarray(0, n));
  }

  end(): void {
    this.held = this.bits = 0;
  }
}

function hex(c: number | undefined): number {
  if (c === undefined) return -1;
  if (c >= 48 && c <= 57) return c - 48;
  const lower = c | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

/** One line of quoted-printable (RFC 2045 6.7) with its line end, unless a soft break joins it to the next. */
export function decodeQuotedLine(line: Uint8Array, invalid: () => void): Uint8Array {
  const out = new Uint8Array(line.length + 2);
  let n = 0;
  for (let i = 0; i < line.length; i++) {
    const c = line[i]!;
    if (c !== PAD) {
      out[n++] = c;
      continue;
    }
    if (i === line.length - 1) return out.subarray(0, n);
    const high = hex(line[i + 1]);
    const low = hex(line[i + 2]);
    if (high < 0 || low < 0) {
      invalid();
      out[n++] = c;
      continue;
    }
    out[n++] = high * 16 + low;
    i += 2;
  }
  out[n++] = 13;
  out[n++] = 10;
  return out.subarray(0, n);
}
