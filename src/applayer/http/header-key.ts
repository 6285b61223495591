import { latin1 } from './bytes.js';

/** Fields that most messages have: their names need no new string. */
const USUAL = (
  'host user-agent accept accept-language accept-encoding accept-ranges accept-charset referer cookie set-cookie connection ' +
  'keep-alive content-type content-length content-encoding content-disposition content-language transfer-encoding ' +
  'cache-control pragma expires age date server location last-modified etag vary via origin authorization ' +
  'if-modified-since if-none-match range content-range upgrade upgrade-insecure-requests x-requested-with x-powered-by ' +
  'x-forwarded-for x-frame-options x-content-type-options x-xss-protection strict-transport-security ' +
  'content-security-policy access-control-allow-origin sec-fetch-mode sec-fetch-site sec-fetch-dest sec-fetch-user dnt te'
).split(' ');
const SLOTS = 256;
const bySlot: string[][] = Array.from({ length: SLOTS }, () => []);
for (const name of USUAL) bySlot[slotOf(Buffer.from(name))]!.push(name);

/** By length, first and last letter, whatever their case. */
function slotOf(name: Uint8Array): number {
  const n = name.length;
  return n === 0 ? 0 : (n * 37 + (name[0]! | 32) * 5 + (name[n - 1]! | 32)) & (SLOTS - 1);
}

function isSame(name: Uint8Array, known: string): boolean {
  if (name.length !== known.length) return false;
  for (let i = 0; i < name.length; i++) {
    const c = name[i]!;
    if ((c >= 65 && c <= 90 ? c + 32 : c) !== known.charCodeAt(i)) return false;
  }
  return true;
}

/** Name of a header field in lower case, without NUL bytes. */
export function headerKey(name: Uint8Array): string {
  const usual = bySlot[slotOf(name)]!;
  for (let i = 0; i < usual.length; i++) if (isSame(name, usual[i]!)) return usual[i]!;
  const text = latin1(name).toLowerCase();
  return text.includes('\0') ? text.replaceAll('\0', '') : text;
}
