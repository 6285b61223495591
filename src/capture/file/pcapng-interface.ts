/** What an interface description block (draft-ietf-opsawg-pcapng section 4.2) says about its packets. */
export interface PcapngInterface {
  linkType: number;
  /** 0 = unlimited. */
  snapLen: number;
  ticksPerUs: number;
  offsetUs: number;
}

const OPT_END = 0;
const OPT_TSRESOL = 9;
const OPT_TSOFFSET = 14;

/** @param length the block's total length, already checked against the bytes at hand. */
export function parseInterface(view: DataView, at: number, length: number, le: boolean): PcapngInterface {
  const itf: PcapngInterface = { linkType: 0xffff, snapLen: 0, ticksPerUs: 1, offsetUs: 0 };
  if (length < 20) return itf;
  itf.linkType = view.getUint16(at + 8, le);
  itf.snapLen = view.getUint32(at + 12, le);
  const end = at + length - 4;
  for (let opt = at + 16; opt + 4 <= end;) {
    const code = view.getUint16(opt, le);
    const size = view.getUint16(opt + 2, le);
    const value = opt + 4;
    if (code === OPT_END || value + size > end) break;
    if (code === OPT_TSRESOL && size >= 1) itf.ticksPerUs = ticksPerUs(view.getUint8(value));
    if (code === OPT_TSOFFSET && size >= 8) {
      const high = view.getInt32(value + (le ? 4 : 0), le);
      const low = view.getUint32(value + (le ? 0 : 4), le);
      itf.offsetUs = (high * 4294967296 + low) * 1e6;
    }
    opt = value + ((size + 3) & ~3);
  }
  return itf;
}

/** `if_tsresol`: the exponent of ten, or of two when the top bit is set, of one second. */
function ticksPerUs(resolution: number): number {
  const exponent = resolution & 0x7f;
  return (resolution & 0x80 ? 2 ** exponent : 10 ** exponent) / 1e6;
}
