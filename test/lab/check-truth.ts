import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { cidrContains, parseCidr, parseIp, type Cidr } from '../../src/util/ip.js';
import type { TruthStep } from './truth.js';

/** Replies may come a little after the tool ended. */
const SLACK_US = 1e6;
const LAB_ADDRESSES = /^(10\.77\.(66|20)\.|fd77:0:0:1::(66|20):)/;

export interface SeenPacket {
  tsUs: number;
  src: string;
  /** Empty for a forged ARP reply, which is for everybody. */
  dst: string;
}

/** The hardware address that forged ARP replies of the lab name; no device has it. */
export const FORGED_MAC = '02:00:00:00:66:66';

/** Time and addresses of each IP packet and forged ARP reply of a capture, as tcpdump (and not our own decoder) reads them. */
export async function* readAddresses(file: string): AsyncGenerator<SeenPacket> {
  const tcpdump = spawn('tcpdump', ['-tt', '-nn', '-q', '-r', file, 'ip or ip6 or arp'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  for await (const line of createInterface({ input: tcpdump.stdout })) {
    const [, arpTs, claimed] = /^([\d.]+) ARP, Reply (\S+) is-at 02:00:00:00:66:66/.exec(line) ?? [];
    if (arpTs !== undefined && claimed !== undefined) yield { tsUs: Number(arpTs) * 1e6, src: claimed, dst: '' };
    const [, ts, src, dst] = /^([\d.]+) IP6? (\S+) > (\S+):/.exec(line) ?? [];
    if (ts !== undefined && src !== undefined && dst !== undefined) {
      yield { tsUs: Number(ts) * 1e6, src: withoutPort(src), dst: withoutPort(dst) };
    }
  }
}

/** tcpdump writes `address.port`. */
function withoutPort(text: string): string {
  const address = parseIp(text) === undefined ? text.slice(0, text.lastIndexOf('.')) : text;
  return address;
}

interface Watched {
  step: TruthStep;
  sources: Cidr[];
  targets: Cidr[];
  packets: number;
}

/**
 * Compares what the truth says with what the capture holds: each step must be seen between its ends, and no packet
 * of an attacker or a client may be without a step.
 * @returns what is wrong, in sentences; empty when the truth tells the truth.
 */
export async function truthProblems(
  steps: readonly TruthStep[],
  packets: AsyncIterable<SeenPacket>,
): Promise<string[]> {
  const watched = steps.map((step) => ({
    step,
    sources: networks(step.sources),
    targets: networks(step.targets),
    packets: 0,
  }));
  let unexplained = 0;
  let example = '';
  for await (const packet of packets) {
    const owners = watched.filter((w) => explains(w, packet));
    for (const owner of owners) owner.packets++;
    if (owners.length === 0 && LAB_ADDRESSES.test(packet.src)) {
      unexplained++;
      example = `${packet.src} > ${packet.dst} at ${packet.tsUs}`;
    }
  }
  const unseen = watched.filter((w) => w.packets === 0);
  const problems = unseen.map(
    ({ step }) => `no packet of ${step.label} by ${step.sources.join(' ')} (${step.command})`,
  );
  if (unexplained > 0) problems.push(`${unexplained} packets belong to no step, e.g. ${example}`);
  return problems;
}

function networks(addresses: readonly string[]): Cidr[] {
  return addresses.map((text) => parseCidr(text)).filter((cidr) => cidr !== undefined);
}

function explains({ step, sources, targets }: Watched, packet: SeenPacket): boolean {
  if (packet.tsUs < step.startUs - SLACK_US || packet.tsUs > step.endUs + SLACK_US) return false;
  const has = (list: Cidr[], text: string): boolean => {
    const ip = parseIp(text);
    return list.length === 0 || (ip !== undefined && list.some((cidr) => cidrContains(cidr, ip)));
  };
  if (packet.dst === '') return has(sources, packet.src);
  const forward = has(sources, packet.src) && has(targets, packet.dst);
  return forward || (has(sources, packet.dst) && has(targets, packet.src));
}
