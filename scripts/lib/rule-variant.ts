import { bufferReference } from '../../src/detect/signature/buffers.js';
import { parsePattern, splitNegation } from '../../src/detect/signature/parse/content.js';
import { isRawRule, parseRuleText, type RawRule, type RuleOption } from '../../src/detect/signature/parse/rule.js';
import { inContent, pick, type Random } from './random-rule.js';

/** A rule taken apart that is being changed. */
type Draft = Omit<RawRule, 'options' | 'text' | 'line'> & { options: Option[] };
type Option = Pick<RuleOption, 'name' | 'value'>;
type Change = (random: Random, draft: Draft) => void;

const upTo = (random: Random, max: number): number => Math.floor(random() * (max + 1));
const option = (text: string): Option => {
  const colon = text.indexOf(':');
  return colon < 0 ? { name: text, value: undefined } : { name: text.slice(0, colon), value: text.slice(colon + 1) };
};

/** Of Suricata 8. */
const LATER =
  /^(dns\.(query\.name|queries|answer|authorities|additionals|response)|tls\.(subjectaltname|alpn)|mqtt\.connect\.protocol|email|smtp\.|ftp\.|pgsql|ja4|igmp|ether)/;
const BUFFERS = bufferReference().filter(({ name }) => !LATER.test(name));
const isBuffer = ({ name }: Option): boolean => BUFFERS.some((b) => b.name === name);
const OF_PACKETS = ['tcp', 'tcp-pkt', 'tcp-stream', 'ip', 'udp', 'icmp'];
const PROTOCOLS = ['tcp', 'tcp', 'ip', 'tcp-pkt', 'tcp-stream', 'udp', 'icmp', 'http', 'http1', 'dns', 'tls', 'smtp', 'ssh', 'ftp', 'smb']; // prettier-ignore
const FLOWS = ['to_server', 'to_client', 'established', 'not_established', 'stateless', 'established,to_server', 'established,to_client', 'established,only_stream', 'established,no_stream', 'to_server,no_frag', 'to_client,only_frag']; // prettier-ignore
const TRANSFORMS = ['to_lowercase', 'to_uppercase', 'strip_whitespace', 'compress_whitespace', 'url_decode', 'dotprefix', 'header_lowercase', 'strip_pseudo_headers', 'to_md5', 'to_sha256', 'xor:"0d"']; // prettier-ignore
const FOLLOWING = ['nocase', 'startswith', 'endswith', 'fast_pattern', 'fast_pattern:only', 'rawbytes', 'offset:1', 'offset:0', 'depth:20', 'depth:200', 'distance:0', 'distance:1', 'within:20', 'within:200', 'isdataat:1,relative', 'isdataat:!1,relative', 'byte_test:1,>,32,0,relative', 'byte_jump:1,0,relative; isdataat:1', 'pcre:"/^[a-z]/Ri"', 'pcre:"/./R"', 'base64_decode:offset 0,relative; base64_data; content:"a"']; // prettier-ignore
const CIRCUMSTANCES = ['dsize:>0', 'dsize:<300', 'flags:A', 'flags:PA', 'flags:A+', 'flags:S', 'ttl:>10', 'ip_proto:6', 'noalert', 'app-layer-protocol:http', 'app-layer-protocol:!http', 'app-layer-protocol:failed', 'stream_size:server,>,10', 'stream_size:client,<,1000', 'stream_size:both,>,1', 'flowbits:set,v', 'flowbits:isset,v', 'flowbits:isnotset,v', 'flowbits:toggle,v', 'xbits:set,v,track ip_src', 'xbits:isset,v,track ip_dst', 'hostbits:set,v,src', 'hostbits:isset,v,dst', 'flowint:v,+,1', 'flowint:v,>,1', 'threshold:type limit,track by_src,count 1,seconds 60', 'threshold:type threshold,track by_dst,count 2,seconds 60', 'threshold:type both,track by_both,count 2,seconds 60', 'detection_filter:track by_src,count 1,seconds 60', 'prefilter', 'target:src_ip', 'bypass', 'urilen:>1', 'urilen:<100,raw', 'filestore', 'filename:"a"', 'filesize:>1', 'tls.version:1.2', 'isdataat:10', 'isdataat:!500', 'content:"a"', 'content:!"zzz"', 'content:"|0d 0a|"', 'pcre:"/a.*b/"', 'pcre:!"/zz/"', 'pcre:"/a/U"', 'pcre:"/a/i"', 'byte_test:1,>,64,0', 'byte_jump:1,0; content:"a"', 'http_method', 'http_uri', 'http_header', 'http_client_body', 'http_server_body', 'http_cookie', 'http_stat_code', 'http_user_agent', 'http_raw_uri', 'http_raw_header', 'http_host', 'pkt_data', 'file_data']; // prettier-ignore

const positionsOf = (draft: Draft, isWanted: (o: Option) => boolean): number[] =>
  draft.options.flatMap((o, i) => (isWanted(o) ? [i] : []));

const isContent = ({ name }: Option): boolean => name === 'content' || name === 'uricontent';

function changeContent(random: Random, o: Option): void {
  const { negated, text } = splitNegation(o.value ?? '');
  const bytes = [...parsePattern(text)];
  const way = random();
  if (way < 0.35) {
    o.value = `${negated ? '' : '!'}"${text}"`;
    return;
  }
  const cut = upTo(random, bytes.length - 1);
  const changed =
    way < 0.5
      ? bytes.slice(0, cut + 1)
      : way < 0.65
        ? bytes.slice(cut)
        : way < 0.8
          ? bytes.map((b) => (/[A-Za-z]/.test(String.fromCharCode(b)) ? b ^ 32 : b))
          : bytes.map((b, i) => (i === cut ? b ^ 1 : b));
  o.value = `${negated ? '!' : ''}"${inContent(Uint8Array.from(changed))}"`;
}

/** One number in the value becomes one near it. */
function changeNumber(random: Random, o: Option): void {
  const numbers = [...o.value!.matchAll(/\b\d+\b/g)];
  const chosen = pick(random, numbers);
  const n = Math.max(0, Number(chosen[0]) + pick(random, [-10, -2, -1, 1, 2, 10]));
  o.value = o.value!.slice(0, chosen.index) + String(n) + o.value!.slice(chosen.index + chosen[0].length);
}

const KEPT = new Set(['msg', 'sid', 'rev', 'gid', 'classtype', 'reference', 'metadata', 'priority']);
const isNumeric = ({ name, value }: Option): boolean =>
  !KEPT.has(name) && !isContent({ name, value }) && name !== 'pcre' && /\b\d+\b/.test(value ?? '');
const isTest = ({ name }: Option): boolean => !KEPT.has(name);

/** @returns false when there is nothing of the kind. */
function atOne(random: Random, draft: Draft, isWanted: (o: Option) => boolean, change: (at: number) => void): boolean {
  const places = positionsOf(draft, isWanted);
  if (places.length > 0) change(pick(random, places));
  return places.length > 0;
}

const COMPARISONS: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^(urilen|bsize|dsize|ttl|itype|icode|filesize|tcp\.mss|flow\.age)$/, ['<', '>', '']],
  [/^(byte_test)$/, ['<', '>', '=', '!=', '<=', '>=', '&', '^', '!<', '!>', '!=']],
  [/^(stream_size)$/, ['<', '>', '=', '!=', '<=', '>=']],
];

function changeComparison(random: Random, o: Option): void {
  const signs = COMPARISONS.find(([name]) => name.test(o.name))?.[1];
  if (signs === undefined) return;
  const sign = pick(random, signs);
  o.value = /^(byte_test|stream_size)$/.test(o.name)
    ? o.value!.replace(/,\s*[!<>=&^]+\s*,/, `,${sign},`)
    : o.value!.replace(/^[<>!=]*/, sign);
}

const CHANGES: readonly Change[] = [
  (random, d) => atOne(random, d, isContent, (at) => changeContent(random, d.options[at]!)),
  (random, d) => atOne(random, d, isContent, (at) => changeContent(random, d.options[at]!)),
  (random, d) => atOne(random, d, isContent, (at) => d.options.splice(at + 1, 0, ...pick(random, FOLLOWING).split('; ').map(option))), // prettier-ignore
  (random, d) => atOne(random, d, isContent, (at) => d.options.splice(at + 1, 0, ...pick(random, FOLLOWING).split('; ').map(option))), // prettier-ignore
  (random, d) => atOne(random, d, isNumeric, (at) => changeNumber(random, d.options[at]!)),
  (random, d) => atOne(random, d, ({ name }) => COMPARISONS.some(([n]) => n.test(name)), (at) => changeComparison(random, d.options[at]!)), // prettier-ignore
  (random, d) => {
    d.proto = pick(random, PROTOCOLS);
  },
  (random, d) => {
    d.proto = pick(random, OF_PACKETS);
  },
  (_, d) => {
    [d.src, d.dst] = [d.dst, d.src];
    [d.srcPort, d.dstPort] = [d.dstPort, d.srcPort];
  },
  (_, d) => {
    d.direction = '<>';
  },
  (random, d) => {
    d.options = d.options.filter(({ name }) => name !== 'flow');
    d.options.unshift({ name: 'flow', value: pick(random, FLOWS) });
  },
  (random, d) => atOne(random, d, isTest, (at) => d.options.splice(at, 1)),
  (random, d) => atOne(random, d, isTest, (at) => d.options.splice(at + 1, 0, { ...d.options[at]! })),
  (random, d) => {
    const at = upTo(random, d.options.length);
    d.options.splice(at, 0, ...pick(random, CIRCUMSTANCES).split('; ').map(option));
  },
  (random, d) => d.options.unshift(...pick(random, CIRCUMSTANCES).split('; ').map(option)),
  (random, d) => {
    const like = d.options.find(isBuffer)?.name.split('.')[0] ?? (d.proto === 'tcp' ? 'http' : d.proto);
    const named = BUFFERS.filter(({ name }) => name.startsWith(`${like}.`) || random() < 0.02);
    if (named.length === 0) return;
    const { name } = pick(random, named);
    if (!atOne(random, d, isBuffer, (at) => (d.options[at] = { name, value: undefined })))
      atOne(random, d, isContent, (at) => d.options.splice(at, 0, { name, value: undefined }));
  },
  (random, d) => atOne(random, d, isBuffer, (at) => d.options.splice(at + 1, 0, option(pick(random, TRANSFORMS)))),
  (random, d) => atOne(random, d, isBuffer, (at) => d.options.splice(at + 1, 0, option(pick(random, ['bsize:>0', 'bsize:<10', 'bsize:>20', 'bsize:1<>30', 'isdataat:5', 'isdataat:!30', 'content:"a"', 'content:!"q"', 'pcre:"/^./"', 'byte_test:1,>,64,0', 'pkt_data'])))), // prettier-ignore
];

function text(draft: Draft, sid: number): string {
  const options = draft.options
    .filter(({ name }) => !['sid', 'gid', 'rev', 'msg', 'classtype', 'reference', 'metadata'].includes(name))
    .map(({ name, value }) => (value === undefined ? `${name};` : `${name}:${value};`));
  const { action, proto, src, srcPort, direction, dst, dstPort } = draft;
  return `${action} ${proto} ${src} ${srcPort} ${direction} ${dst} ${dstPort} (${[...options, `sid:${sid};`].join(' ')})`;
}

/** A rule with up to three changes, or none when it cannot be read; the first `sid` of each rule is the rule as it is. */
export function variantOf(
  random: Random,
  rule: string,
  sid: number,
  changes = 1 + upTo(random, 2),
): string | undefined {
  const raw = parseRuleText(rule, 1);
  if (!isRawRule(raw)) return undefined;
  const draft: Draft = { ...raw, options: raw.options.map(({ name, value }) => ({ name, value })) };
  try {
    for (let i = 0; i < changes; i++) pick(random, CHANGES)(random, draft);
  } catch {
    return undefined;
  }
  return text(draft, sid);
}
