import { copy } from '../http/bytes.js';
import { narrow, u16, u32 } from './session.js';

const SIGNATURE = Buffer.from('NTLMSSP\0', 'latin1');
const AUTHENTICATE = 3;
const UNICODE = 1;

/** User and domain of an NTLMSSP AUTHENTICATE message (MS-NLMP 2.2.1.3) somewhere in a security blob, unless it is cut. */
export function readNtlmssp(blob: Uint8Array): { user: Uint8Array; domain: Uint8Array } | 'malformed' | undefined {
  const at = Buffer.from(blob.buffer, blob.byteOffset, blob.byteLength).indexOf(SIGNATURE);
  if (at < 0) return undefined;
  const d = blob.subarray(at);
  if (d.length >= 12 && u32(d, 8) !== AUTHENTICATE) return undefined;
  if (d.length < 64) return 'malformed';
  const isUnicode = (u32(d, 60) & UNICODE) !== 0;
  const field = (from: number): Uint8Array => {
    const begin = u32(d, from + 4);
    const bytes = d.subarray(Math.min(begin, d.length), Math.min(begin + u16(d, from), d.length));
    return isUnicode ? narrow(bytes) : copy(bytes);
  };
  return { domain: field(28), user: field(36) };
}
