import { APP_PROTOS } from '../../../domain/app-layer.js';
import { DECODE_EVENTS, SILENT_DECODE_EVENTS } from '../decode-events/names.js';
import type { AppProtocolTest, FlowCondition, FlowIntTest, Rule, StateTest, ThresholdSpec, TrackBy } from '../rule.js';
import { STREAM_EVENTS } from '../../../domain/stream-event.js';
import { parseLooseRange, parseNumber } from '../parse/number.js';
import type { RuleBuilder } from './builder.js';
import type { Keyword } from './payload.js';
import { own } from '../../../util/own.js';

const parts = (value: string): string[] => value.split(',').map((p) => p.trim());

function flow(b: RuleBuilder, value: string): void {
  const { rule } = b;
  if (rule.flow !== undefined && isMoreThanSide(rule.flow)) throw new Error('is given twice');
  const sideBefore = rule.flow === undefined ? 0 : rule.towards % BOTH_SIDES;
  const condition = (rule.flow ??= {
    established: false,
    notEstablished: false,
    stateless: false,
    onlyStream: false,
    noStream: false,
    onlyFragment: false,
    noFragment: false,
  });
  const chosen = new Map<number, string>();
  const given = parts(value).map((part) => part.toLowerCase());
  if (given.length > 3) throw new Error('has three parts at most: state, direction, and streams or fragments');
  for (const part of given) {
    checkChoice(chosen, part);
    switch (part) {
      case 'established':
        condition.established = true;
        break;
      case 'not_established':
        condition.notEstablished = true;
        break;
      case 'stateless':
        condition.stateless = true;
        break;
      case 'to_server':
      case 'from_client':
        rule.towards = sideBefore | 1;
        break;
      case 'to_client':
      case 'from_server':
        rule.towards = sideBefore | 2;
        break;
      case 'only_stream':
        condition.onlyStream = true;
        b.needsStream = true;
        break;
      case 'no_stream':
        condition.noStream = true;
        b.needsPacket = true;
        break;
      case 'only_frag':
        condition.onlyFragment = true;
        break;
      case 'no_frag':
        condition.noFragment = true;
        break;
      default:
        throw new Error(`"${part}" is not understood here`);
    }
  }
}

const BOTH_SIDES = 3;

/** A second `flow` may stand behind one that names a side or single packets only, as in Suricata. */
const isMoreThanSide = (f: FlowCondition): boolean =>
  f.established || f.notEstablished || f.stateless || f.onlyStream || f.onlyFragment || f.noFragment;

/** Parts of `flow` of which one can be chosen. */
const FLOW_CHOICES = [
  ['established', 'not_established', 'stateless'],
  ['to_server', 'from_client', 'to_client', 'from_server'],
  ['only_stream', 'no_stream'],
  ['only_frag', 'no_frag'],
];

function checkChoice(chosen: Map<number, string>, part: string): void {
  const group = FLOW_CHOICES.findIndex((names) => names.includes(part));
  const before = chosen.get(group);
  if (group >= 0 && before === part) throw new Error(`${part} is given twice`);
  if (group >= 0 && before !== undefined) throw new Error(`${before} and ${part} exclude each other`);
  chosen.set(group, part);
}

const ACTIONS = /^(set|unset|toggle|isset|isnotset)$/;

function flowbits(b: RuleBuilder, value: string): void {
  const [action = '', name = ''] = parts(value);
  if (action === 'noalert') {
    if (name !== '') throw new Error('noalert has no name');
    b.rule.noalert = true;
    return;
  }
  if (!ACTIONS.test(action)) throw new Error(`"${action}" is not a flowbits command`);
  if (/\s/.test(name)) throw new Error('a name has no white space');
  addBits(b, { scope: 'flow', action: action as StateTest['action'], names: [name], expireSecs: 0 });
}

function addBits(b: RuleBuilder, test: StateTest): void {
  const names = (test.names[0] ?? '').split('|').map((n) => n.trim());
  if (names.some((n) => n === '')) throw new Error('needs a name');
  b.rule.bits.push({ ...test, names });
}

function hostbits(b: RuleBuilder, value: string): void {
  const [action = '', name = '', scope = 'src'] = parts(value);
  if (action === 'noalert') {
    b.rule.noalert = true;
    return;
  }
  if (!ACTIONS.test(action)) throw new Error(`"${action}" is not a hostbits command`);
  if (!/^(src|dst)$/.test(scope)) throw new Error(`"${scope}" is neither src nor dst`);
  addBits(b, {
    scope: scope as StateTest['scope'],
    action: action as StateTest['action'],
    names: [name],
    expireSecs: 300,
  });
}

const XBIT_SCOPES: Readonly<Record<string, StateTest['scope']>> = { ip_src: 'src', ip_dst: 'dst', ip_pair: 'pair' };

function xbits(b: RuleBuilder, value: string): void {
  const [action = '', name = '', ...rest] = parts(value);
  if (action === 'noalert') {
    b.rule.noalert = true;
    return;
  }
  if (!ACTIONS.test(action)) throw new Error(`"${action}" is not an xbits command`);
  let scope: StateTest['scope'] | undefined;
  let expireSecs = 30;
  for (const part of rest) {
    const [key, argument = ''] = part.split(/\s+/);
    if (key === 'track') scope = own(XBIT_SCOPES, argument);
    else if (key === 'expire') expireSecs = parseNumber(argument, 1);
    else throw new Error(`"${part}" is not understood here`);
  }
  if (!scope) throw new Error('needs track ip_src, ip_dst or ip_pair');
  addBits(b, { scope, action: action as StateTest['action'], names: [name], expireSecs });
}

function flowint(b: RuleBuilder, value: string): void {
  const [name = '', operator = '', operand = ''] = parts(value);
  if (!/^(\+|-|=|==|!=|<|>|<=|>=|isset|notset|isnotset)$/.test(operator))
    throw new Error(`"${operator}" is not a flowint command`);
  if (!/^[A-Za-z][\w./]+$/.test(name)) throw new Error(`"${name}" is not a name of two characters and more`);
  if (!/^([A-Za-z]\w+|\d{1,10})?$/.test(operand)) throw new Error(`"${operand}" is neither a number nor a name`);
  const test: FlowIntTest = {
    name,
    operator: operator as FlowIntTest['operator'],
    value: /^\d+$/.test(operand) ? Number(operand) : operand,
  };
  b.rule.flowInts.push(test);
}

const TRACKS = /^(by_src|by_dst|by_rule|by_both|by_flow)$/;

/** `type limit, track by_src, count 1, seconds 60`, in any order. */
export function parseThreshold(value: string, type?: ThresholdSpec['type']): ThresholdSpec {
  const spec: Partial<ThresholdSpec> = { multiplier: 1, ...(type === undefined ? {} : { type }) };
  for (const part of parts(value)) {
    const [key = '', argument = ''] = part.split(/\s+/);
    if (key === 'type' && /^(limit|threshold|both|backoff)$/.test(argument))
      spec.type = argument as ThresholdSpec['type'];
    else if (key === 'track' && TRACKS.test(argument)) spec.track = argument as TrackBy;
    else if (key === 'count') spec.count = parseNumber(argument, 1);
    else if (key === 'seconds') spec.seconds = parseNumber(argument, 1);
    else if (key === 'multiplier') spec.multiplier = parseNumber(argument, 1);
    else throw new Error(`"${part}" is not understood here`);
  }
  if (spec.type === 'backoff') spec.seconds ??= 0;
  if (!spec.type || !spec.track || spec.count === undefined || spec.seconds === undefined)
    throw new Error('needs type, track, count and seconds');
  return spec as ThresholdSpec;
}

function streamSize(b: RuleBuilder, value: string): void {
  const [side = '', operator = '', number = ''] = parts(value);
  if (!/^(client|server|both|either)$/.test(side)) throw new Error(`"${side}" is not a side of a stream`);
  b.needsPacket = true;
  b.rule.streamSize.push({ side, range: parseLooseRange(`${operator === '=' ? '' : operator}${number}`, 0xffffffff) });
}

const KNOWN_STREAM_EVENTS: ReadonlySet<string> = new Set(STREAM_EVENTS);
/** Names that Suricata 7 knows and never tells: its own threads, its own memory, or told by another name. */
const SILENT_STREAM_EVENTS: ReadonlySet<string> = new Set([
  '3whs_synack_resend_with_diff_seq',
  'reassembly_insert_invalid',
  'reassembly_segment_before_base_seq',
  'reassembly_urgent_oob_limit_reached',
  'wrong_thread',
]);

function parseStreamEvent(value: string): string {
  const name = value.replace(/_with_diff_ack$/, '_with_different_ack');
  if (!KNOWN_STREAM_EVENTS.has(name) && !SILENT_STREAM_EVENTS.has(name))
    throw new Error(`"${value}" is not an event of a stream`);
  return name;
}

/** Protocols of Suricata that are not parsed here: no flow is known to be of them. */
const OTHER_PROTOCOLS = ['failed', 'http1', 'enip', 'irc', 'jabber'];

/** Whether rules may name a protocol. */
export function isProtocolName(name: string): boolean {
  return OTHER_PROTOCOLS.includes(name) || (APP_PROTOS as readonly string[]).includes(name);
}

const KNOWN_DECODE_EVENTS: ReadonlySet<string> = new Set([...DECODE_EVENTS, ...SILENT_DECODE_EVENTS]);

const decodeEvent: Keyword = (b, value) => {
  if (!KNOWN_DECODE_EVENTS.has(value)) throw new Error(`"${value}" is not an event of a packet`);
  b.needsPacket = true;
  b.rule.decodeEvents.push(value);
};

const streamEvent: Keyword = (b, value) => {
  b.needsPacket = true;
  b.rule.streamEvents.push(parseStreamEvent(value));
};

const PLACES = /^(direction|to_server|to_client|either|final|original)$/;

/** The header or a field before says which; fields that several protocols have, such as files and JA3, do not. */
const isAboutProtocol = (rule: Rule): boolean =>
  rule.appProtos !== undefined ||
  rule.buffers.some(
    ({ buffer: { name, protos, source } }) =>
      source === 'transaction' && !/^(file|ja[34])/.test(name) && protos.length > 0,
  );

/** `[!]NAME[|NAME...][,WHERE][,exact]`. */
function appLayerProtocol(b: RuleBuilder, value: string): void {
  const negated = value.startsWith('!');
  const [list = '', ...choices] = parts(value.replace(/^!/, ''));
  const names = list.split('|').map((name) => name.trim());
  const stranger = names.find((name) => name !== 'unknown' && !isProtocolName(name));
  if (stranger !== undefined) throw new Error(`the protocol "${stranger}" is not parsed`);
  let where: AppProtocolTest['where'] = 'direction';
  for (const choice of choices) {
    if (PLACES.test(choice)) where = choice as AppProtocolTest['where'];
    else if (choice !== 'exact') throw new Error(`"${choice}" is not understood here`);
  }
  if (isAboutProtocol(b.rule)) throw new Error('the rule is about a protocol already');
  const conflict = b.rule.appProtocol.find((p) => !negated || !p.negated || p.names.some((n) => names.includes(n)));
  if (conflict !== undefined) throw new Error('is given twice: only different protocols with ! can be');
  b.rule.appProtocol.push({ names, negated, where, exact: choices.includes('exact') });
}

/** Keywords about flows, streams and what is remembered. */
export const STATE_KEYWORDS: Readonly<Record<string, Keyword>> = {
  flow,
  flowbits,
  hostbits,
  xbits,
  flowint,
  stream_size: streamSize,
  threshold: (b, value) => {
    if (b.rule.threshold !== undefined) throw new Error('is given twice');
    b.rule.threshold = parseThreshold(value);
  },
  detection_filter: (b, value) => {
    b.rule.detectionFilter = parseThreshold(value, 'detection_filter');
  },
  noalert: (b) => {
    b.rule.noalert = true;
  },
  alert: (b) => {
    b.rule.noalert = false;
  },
  'stream-event': streamEvent,
  'decode-event': decodeEvent,
  // Both kinds, by their full names.
  'engine-event': (b, value) => {
    if (value.startsWith('stream.')) streamEvent(b, value.slice('stream.'.length));
    else if (value.startsWith('decoder.')) decodeEvent(b, value.slice('decoder.'.length));
    else throw new Error(`"${value}" begins with neither decoder. nor stream.`);
  },
  'app-layer-protocol': appLayerProtocol,
};
