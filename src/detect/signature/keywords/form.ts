import { CONTENT_MODIFIERS, findBuffer } from '../buffers.js';
import { TRANSFORMS_WITHOUT_VALUE } from '../match/transform.js';
import type { RuleOption } from '../parse/rule.js';

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '));

const WITHOUT_VALUE = words(
  'nocase startswith endswith rawbytes sameip ftpbounce noalert alert tls_cert_expired tls_cert_valid tls_store tls.store pkt_data base64_data bypass prefilter bidir.toserver bidir.toclient',
); // prettier-ignore
/** Both with and without a value. */
const EITHER_WAY = words('fast_pattern filestore base64_decode absent from_base64 gunzip zlib_deflate');
const QUOTED = words('msg content uricontent replace tls.subject tls.issuerdn tls.fingerprint filemagic pcrexform');
const MAY_BE_QUOTED = words('app-layer-protocol tos pcre ip_proto ssh.protoversion ssh.softwareversion filename fileext xor'); // prettier-ignore

function takesNothing(name: string): boolean {
  return (
    WITHOUT_VALUE.has(name) ||
    TRANSFORMS_WITHOUT_VALUE.has(name) ||
    findBuffer(name) !== undefined ||
    CONTENT_MODIFIERS[name] !== undefined
  );
}

/**
 * Whether a keyword has a value, and in quotation marks, as Suricata asks for it.
 * @throws {Error} with a sentence for people.
 */
export function checkForm({ name, value }: RuleOption): void {
  const isEmpty = value === undefined || value === '';
  if (takesNothing(name)) {
    if (!isEmpty) throw new Error('takes no value');
    return;
  }
  if (isEmpty) {
    if (!EITHER_WAY.has(name)) throw new Error('needs a value');
    return;
  }
  const plain = value.replace(/^!\s*/, '');
  const isQuoted = plain.length >= 2 && plain.startsWith('"') && plain.endsWith('"');
  if (QUOTED.has(name)) {
    if (!isQuoted) throw new Error('needs its value in quotation marks');
    if (plain === '""') throw new Error('needs a value');
  } else if (isQuoted && !MAY_BE_QUOTED.has(name)) throw new Error('takes its value without quotation marks');
}
