import { be32, inTwo, type Part, type Splitter } from './split.js';

const NBSS_HEADER = 4;
/** Magic number: version, and bytes of its header. */
const VERSIONS: ReadonlyMap<number, readonly [name: string, header: number]> = new Map([
  [0xff534d42, ['smb1', 32]],
  [0xfe534d42, ['smb2', 64]],
  [0xfd534d42, ['smb3', 52]],
]);
/** Where SMB2 says how far the next command of the same message is. */
const NEXT_COMMAND = 20;

/** Messages of SMB over NBSS. */
export const splitSmb: Splitter = (d) => {
  if (d.length < NBSS_HEADER) return undefined;
  const length = NBSS_HEADER + (be32(d, 0) & 0xffffff);
  const parts: Part[] = inTwo(['nbss.pdu', 'nbss.hdr', 'nbss.data'], NBSS_HEADER, length);
  if (d[0] !== 0 || length < NBSS_HEADER + 8) return { parts, length };
  let at = NBSS_HEADER;
  for (let n = 0; n < 8; n++) {
    if (d.length < Math.min(at + NEXT_COMMAND + 4, length)) return undefined;
    const version = length < at + 4 ? undefined : VERSIONS.get(be32(d, at));
    if (version === undefined) break;
    const [name, header] = version;
    let next = 0;
    if (name === 'smb2') {
      if (length < at + NEXT_COMMAND + 4) break;
      next = d[at + NEXT_COMMAND]! | (d[at + NEXT_COMMAND + 1]! << 8) | (d[at + NEXT_COMMAND + 2]! << 16);
    }
    const end = next >= header && at + next < length ? at + next : length;
    parts.push([`${name}.pdu`, at, end], [`${name}.hdr`, at, Math.min(at + header, end)]);
    if (end > at + header) parts.push([`${name}.data`, at + header, end]);
    if (end === length) break;
    at = end;
  }
  return { parts, length };
};
