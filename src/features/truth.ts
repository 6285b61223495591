import type { FlowRecord } from '../domain/flow.js';
import { AppError } from '../util/errors.js';
import { cidrContains, parseCidr, parseIp, type Cidr } from '../util/ip.js';

/** What is known about who did what in a capture. */
export interface Truth {
  /** How the file speaks: about packets by number, or about steps by time and addresses. */
  readonly kind: 'packets' | 'steps';
  /** Label of a packet (1-based number in the capture), or undefined. */
  ofPacket(number: number): string | undefined;
  /** Label of a flow by time, addresses, protocol and port, or undefined. */
  ofFlow(flow: FlowRecord): string | undefined;
}

interface Step {
  startUs: number;
  endUs: number;
  sources: Cidr[];
  targets: Cidr[];
  proto: number | undefined;
  dport: number | undefined;
  label: string;
}

/** Names that truth files of others give their columns, in lower case without `_` and blanks. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  start: ['start', 'startus', 'startms', 'starttime', 'from', 'ts'],
  end: ['end', 'endus', 'endms', 'endtime', 'to'],
  sources: ['src', 'source', 'sources', 'srcip', 'attacker', 'attackers'],
  targets: ['dst', 'target', 'targets', 'dstip', 'victim', 'victims'],
  proto: ['proto', 'protocol'],
  dport: ['dport', 'port', 'dstport'],
  label: ['label', 'class', 'attack'],
  malicious: ['malicious'],
};
const PROTO_NUMBERS: Readonly<Record<string, number>> = { icmp: 1, tcp: 6, udp: 17, icmp6: 58, icmpv6: 58 };
/** Clocks of tools and of the capture may differ by this much. */
const SLACK_US = 1e6;

/** Epoch time as seconds, milliseconds or microseconds (told apart by size) or as an ISO date; undefined when empty. */
function parseTime(text: string): number | undefined {
  if (text === '') return undefined;
  const n = Number(text);
  if (Number.isNaN(n)) return Date.parse(text) * 1000;
  if (n > 1e14) return n;
  return n > 1e11 ? n * 1e3 : n * 1e6;
}

function parseNetworks(text: string, line: number): Cidr[] {
  return text
    .split(/[\s;|]+/)
    .filter((word) => word !== '')
    .map((word) => parseCidr(word) ?? bad(line, `"${word}" is no address or prefix`));
}

function bad(line: number, what: string): never {
  throw new AppError({
    kind: 'user',
    code: 'features.labels',
    message: `Labels, line ${line}: ${what}.`,
    fix: 'See the top of docs/features.md for the columns of a labels file.',
  });
}

function parseStep(cells: Map<string, string>, line: number): Step {
  const get = (name: string): string => cells.get(name) ?? '';
  const startUs = parseTime(get('start')) ?? -Infinity;
  const endUs = parseTime(get('end')) ?? Infinity;
  if (Number.isNaN(startUs) || Number.isNaN(endUs)) bad(line, 'start or end is no time');
  const protoText = get('proto').toLowerCase();
  const proto = protoText === '' ? undefined : (PROTO_NUMBERS[protoText] ?? Number(protoText));
  const dport = get('dport') === '' ? undefined : Number(get('dport'));
  if (Number.isNaN(proto)) bad(line, `"${protoText}" is no protocol`);
  if (Number.isNaN(dport)) bad(line, `"${get('dport')}" is no port`);
  const benign = /^(false|0|no)$/i.test(get('malicious'));
  const label = benign ? 'benign' : get('label');
  if (label === '') bad(line, 'there is no label');
  return {
    startUs,
    endUs,
    sources: parseNetworks(get('sources'), line),
    targets: parseNetworks(get('targets'), line),
    proto,
    dport,
    label: /^normal$/i.test(label) ? 'benign' : label,
  };
}

function matches(step: Step, flow: FlowRecord): boolean {
  if (flow.startUs < step.startUs - SLACK_US || flow.startUs > step.endUs + SLACK_US) return false;
  if (step.proto !== undefined && step.proto !== flow.proto) return false;
  if (step.dport !== undefined && step.dport !== flow.dstPort && step.dport !== flow.srcPort) return false;
  const inside = (list: Cidr[], text: string): boolean => {
    const ip = parseIp(text);
    return list.length === 0 || (ip !== undefined && list.some((c) => cidrContains(c, ip)));
  };
  return (
    (inside(step.sources, flow.srcIp) && inside(step.targets, flow.dstIp)) ||
    (inside(step.sources, flow.dstIp) && inside(step.targets, flow.srcIp))
  );
}

function stepTruth(steps: Step[]): Truth {
  // Attacks before benign steps: a benign step often spans the whole run.
  steps.sort((a, b) => Number(a.label === 'benign') - Number(b.label === 'benign'));
  return {
    kind: 'steps',
    ofPacket: () => undefined,
    ofFlow: (flow) => steps.find((step) => matches(step, flow))?.label,
  };
}

function packetTruth(lines: string[]): Truth {
  const labels = new Map<number, string>();
  for (const [i, line] of lines.entries()) {
    const [number, value] = line.split(/[;,\t]/).map((cell) => cell.trim());
    if (!/^\d+$/.test(number ?? '')) {
      if (i === 0) continue;
      bad(i + 1, 'the first column is no packet number');
    }
    const label = value === undefined || value === '' ? bad(i + 1, 'there is no label') : value;
    labels.set(Number(number), /^(0|benign|normal)$/i.test(label) ? 'benign' : /^\d+$/.test(label) ? 'attack' : label);
  }
  return { kind: 'packets', ofPacket: (n) => labels.get(n), ofFlow: () => undefined };
}

/**
 * Reads a labels file: steps as CSV with a header or as `{"steps": [...]}`, or one `number;label` line a packet.
 * @throws AppError `features.labels` with the line that cannot be read.
 */
export function parseTruth(text: string): Truth {
  if (text.trimStart().startsWith('{')) {
    const steps = (JSON.parse(text) as { steps?: Record<string, unknown>[] }).steps ?? [];
    return stepTruth(steps.map((step, i) => parseStep(namedCells(Object.entries(step).map(cellText)), i + 1)));
  }
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '' && !line.startsWith('#'));
  const header = (lines[0] ?? '').split(',').map((cell) => cell.trim());
  const known = namedCells(header.map((name) => [name, name]));
  if (!known.has('label') || header.length < 3) return packetTruth(lines);
  return stepTruth(
    lines.slice(1).map((line, i) => {
      const cells = line.split(',').map((cell) => cell.trim());
      return parseStep(namedCells(header.map((name, c) => [name, cells[c] ?? ''])), i + 2);
    }),
  );
}

function cellText([name, value]: [string, unknown]): [string, string] {
  return [name, Array.isArray(value) ? value.join(' ') : String(value)];
}

function namedCells(cells: [string, string][]): Map<string, string> {
  const out = new Map<string, string>();
  for (const [name, value] of cells) {
    const plain = name.toLowerCase().replaceAll(/[_\s]/g, '');
    const meaning = Object.keys(NAMES).find((key) => NAMES[key]!.includes(plain));
    if (meaning !== undefined && !out.has(meaning)) out.set(meaning, value);
  }
  return out;
}
