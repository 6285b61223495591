import { CONTENT_MODIFIERS, findBuffer } from '../buffers.js';
import { TRANSFORMS } from '../match/transform.js';
import type { RuleOption } from '../parse/rule.js';
import type { RuleBuilder } from './builder.js';
import { CONTENT_KEYWORDS } from './content.js';

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '));

/** Keywords that Suricata 7 can choose rules by. */
const CHOOSES = words(
  'app-layer-protocol tcp.ack ack tcp.seq seq tcp.flags flags fragbits fragoffset ttl itype icode icmp_id icmp_seq dsize flow id stream_size flow.age icmpv6.mtu tcp.mss',
); // prettier-ignore
const CONTENTS = words('content uricontent filename fileext filemagic');
/** What tests nothing, and belongs to what stands before it. */
const DESCRIBES = words('msg sid rev gid classtype priority reference metadata target noalert alert requires pkt_data');

const isPart = (name: string): boolean =>
  DESCRIBES.has(name) ||
  CONTENT_MODIFIERS[name] !== undefined ||
  (CONTENT_KEYWORDS[name] !== undefined && !CONTENTS.has(name)) ||
  findBuffer(name) !== undefined ||
  TRANSFORMS.includes(name);

/** A `flow` that names a side only is not a test of its own. */
const isTest = ({ name, value }: RuleOption): boolean =>
  !isPart(name) && !(name === 'flow' && /^(to|from)_(server|client)$/i.test(value ?? ''));

/**
 * Where `prefilter` stands behind is what rules can be chosen by; it has no other effect here.
 * @throws {Error} when it is not.
 */
export function validatePrefilter(builder: RuleBuilder, options: readonly RuleOption[]): void {
  let last = '';
  let chosen = 0;
  let isContentChosen = false;
  for (const option of options) {
    if (option.name === 'fast_pattern' && isContentChosen) throw new Error('prefilter has chosen another content');
    if (option.name !== 'prefilter') {
      if (isTest(option)) last = option.name;
      continue;
    }
    if (CONTENTS.has(last)) isContentChosen = true;
    else if (!CHOOSES.has(last)) throw new Error(`prefilter cannot stand behind ${last === '' ? 'nothing' : last}`);
    else if (last === 'app-layer-protocol' && builder.rule.appProtocol.some((p) => p.names.length > 1))
      throw new Error('prefilter is not for several protocols');
    else if (++chosen > 1) throw new Error('prefilter is given twice');
  }
  const { lastContent } = builder;
  const isPlaced = lastContent?.offset !== undefined || lastContent?.depth !== undefined;
  if (CONTENTS.has(last) && isContentChosen && lastContent?.negated === true && isPlaced)
    throw new Error('prefilter is not for a content that is to be absent at a place');
}
