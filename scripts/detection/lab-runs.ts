import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Detection } from '../../src/domain/detection.js';
import { behaviourOptionsSchema } from '../../src/detect/behaviour/index.js';
import { canonicalAddress, cidrContains, parseCidr, parseIp } from '../../src/util/ip.js';
import type { Truth, TruthStep } from '../../test/lab/truth.js';
import { actionsOf } from './blocks.js';
import { FORGED, replay, type Replayed } from './replay.js';
import { sshGuesses } from './ssh-guesses.js';

/** Packets of a step may be seen a little outside its ends. */
const SLACK_US = 1e6;
/** What the operator of the lab's network has configured: its DHCP server, and what is inside. */
const DHCP = { rogueDhcp: { servers: ['10.77.0.254'] } };
const AS_ROUTER = behaviourOptionsSchema.parse({ ...DHCP, homeNetworks: ['10.77.128.0/17', 'fd77:0:0:2::/63'] });
/** Lateral movement is between inside hosts: there the watched segment is inside too. */
const AS_INSIDE = behaviourOptionsSchema.parse(DHCP);

/** Labels that name an attack rightly, where there are several. */
const ALSO_RIGHT: Readonly<Record<string, readonly string[]>> = {
  port_scan: ['network_scan'],
  host_sweep: ['network_scan', 'port_scan'],
  network_scan: ['port_scan'],
  // Users and passwords of SSH are encrypted: spraying looks like any guessing.
  password_spraying: ['ssh_brute_force'],
  distributed_brute_force: ['ssh_brute_force', 'network_brute_force'],
};

/** What the truth of the lab calls otherwise than the detectors. */
const CALLED: Readonly<Record<string, string>> = { udp_amplification: 'amplification' };

/** Evidence in which an aim is stated: the tenth attempt, fifteen intervals. */
const COUNTED: ReadonlySet<string> = new Set(['failed_logins', 'intervals']);

/** Packets a second of the slow runs of hping3: no flood (test/lab/flood-effect.ts), whatever the tool is called. */
const TRICKLES: ReadonlySet<string> = new Set(['flood-udp', 'flood-unreachable', 'flood-amplified']);

/** One attacking source of one run. */
export interface Attack {
  label: string;
  scenario: string;
  speed: string;
  source: string;
  found: boolean;
  /** From the source's first hostile packet to the alert. */
  secs?: number;
  /** Failed logins or intervals that the detector had counted at the alert, where the aim is in these. */
  counted?: number;
}

/** What the detector of guessing had counted, and what had really been refused. */
export interface SshRun {
  scenario: string;
  speed: string;
  /** Failed logins in the alert. */
  counted: number;
  /** Guesses that were refused before the alert. */
  refused: number;
  /** From the tenth refused guess to the alert. */
  secsAfterTenth: number;
}

export interface LabFigures {
  /** Runs with attacks that are to be found. */
  attackRuns: number;
  attacks: Attack[];
  /** Runs of flooding tools at so low a rate that nothing is flooded: nothing is to be found. */
  trickles: Attack[];
  /** Runs of hping3 that came to less than half of the packets a second that it was told. */
  behind: { scenario: string; speed: string; ratePps: number; toldPps: number }[];
  /** Runs of one source that guesses SSH passwords. */
  ssh: SshRun[];
  benign: { runs: number; flows: number; packets: number; secs: number };
  /** One line a distinct label and offender of a benign run. */
  falseAlerts: string[];
  /** One line an offender of a benign run that the shipped policies block or slow down. */
  actions: string[];
}

/** Replays lab runs: folders with capture.pcap and truth.json. Labels that no behaviour detector has are left out. */
export async function measureLab(folders: readonly string[], labels: ReadonlySet<string>): Promise<LabFigures> {
  const out: LabFigures = {
    attackRuns: 0,
    attacks: [],
    trickles: [],
    behind: [],
    ssh: [],
    benign: { runs: 0, flows: 0, packets: 0, secs: 0 },
    falseAlerts: [],
    actions: [],
  };
  for (const folder of folders.flatMap(runsIn)) {
    const truth = JSON.parse(readFileSync(join(folder, 'truth.json'), 'utf8')) as Truth;
    for (const step of truth.steps) step.sources = step.sources.map((text) => canonicalAddress(text) ?? text);
    for (const step of truth.steps) step.label = CALLED[step.label] ?? step.label;
    const hostile = truth.steps.filter((step) => step.malicious);
    const sources = [...new Set(hostile.flatMap((s) => (s.sources.length > 0 ? s.sources : [FORGED])))];
    const options = hostile.some((s) => s.label === 'lateral_movement') ? AS_INSIDE : AS_ROUTER;
    const seen = await replay(join(folder, 'capture.pcap'), sources, options);
    if (hostile.length === 0) {
      addBenign(out, truth, seen);
      for (const [who, action] of await actionsOf(seen.detections, options.homeNetworks))
        out.actions.push(`${truth.scenario} (${truth.speed}): ${action} ${who}`);
    } else {
      const isTrickle = truth.speed === 'slow' && TRICKLES.has(truth.scenario);
      const found = attacksOf(truth, hostile, seen).filter((a) => labels.has(a.label));
      (isTrickle ? out.trickles : out.attacks).push(...found);
      if (!isTrickle && found.length > 0) out.attackRuns++;
      out.behind.push(...hostile.flatMap((step) => behindOf(truth, step, seen)));
      out.ssh.push(...(await sshRunOf(truth, join(folder, 'capture.pcap'), seen)));
    }
  }
  return out;
}

/** The run, if its one source was reported for guessing SSH passwords. */
async function sshRunOf({ scenario, speed }: Truth, path: string, { detections }: Replayed): Promise<SshRun[]> {
  const alert = detections.find((d) => d.label === 'ssh_brute_force');
  const { counted } = alert ? countedIn(alert) : {};
  // Over hours nobody expects to be told at the tenth.
  if (!alert || counted === undefined || speed.includes('times')) return [];
  const guesses = await sshGuesses(path);
  const refused = guesses.filter((us) => us <= alert.detectedUs).length;
  return [{ scenario, speed, counted, refused, secsAfterTenth: (alert.detectedUs - (guesses[9] ?? NaN)) / 1e6 }];
}

/** The step, if its tool was told a rate and came to less than half of it, from its first packet to its last. */
function behindOf({ scenario, speed }: Truth, step: TruthStep, { sentUs }: Replayed): LabFigures['behind'] {
  const [, everyUs] = /^hping3 .*-i u(\d+)/.exec(step.command) ?? [];
  if (everyUs === undefined) return [];
  const times = (sentUs.get(step.sources[0] ?? FORGED) ?? []).filter((us) => us >= step.startUs && us <= step.endUs);
  const toldPps = Math.round(1e6 / Number(everyUs));
  const ratePps = ((times.length - 1) * 1e6) / ((times.at(-1) ?? NaN) - (times[0] ?? NaN));
  return ratePps < toldPps / 2 ? [{ scenario, speed, ratePps, toldPps }] : [];
}

function runsIn(folder: string): string[] {
  const isRun = (dir: string): boolean => existsSync(join(dir, 'truth.json'));
  if (isRun(folder)) return [folder];
  return readdirSync(folder)
    .sort()
    .map((name) => join(folder, name))
    .filter(isRun);
}

function addBenign(out: LabFigures, truth: Truth, seen: Replayed): void {
  out.benign.runs++;
  out.benign.flows += seen.flows;
  out.benign.packets += seen.packets;
  out.benign.secs += seen.secs;
  const alerts = new Map(seen.detections.map((d) => [`${d.label} ${d.offender}`, d]));
  for (const d of alerts.values()) {
    out.falseAlerts.push(
      `${truth.scenario} (${truth.speed}): ${d.title} by ${d.offender}: ${d.evidence[0]?.text ?? ''}`,
    );
  }
}

function attacksOf(truth: Truth, hostile: readonly TruthStep[], seen: Replayed): Attack[] {
  const attacks = new Map<string, Attack>();
  for (const step of hostile) {
    for (const source of step.sources.length > 0 ? step.sources : [FORGED]) {
      const key = `${step.label} ${source}`;
      const firstUs = firstPacketUs(step, source, seen);
      if (attacks.has(key) || firstUs === undefined) continue;
      const hit = seen.detections.find((d) => isRight(d, step.label) && concerns(d, step, source));
      attacks.set(key, {
        label: step.label,
        scenario: truth.scenario,
        speed: truth.speed,
        source,
        found: hit !== undefined,
        ...(hit ? { secs: Math.max(0, (hit.detectedUs - firstUs) / 1e6), ...countedIn(hit) } : {}),
      });
    }
  }
  return [...attacks.values()];
}

function countedIn({ evidence }: Detection): Pick<Attack, 'counted'> {
  const value = evidence.find((item) => COUNTED.has(item.name))?.value;
  return typeof value === 'number' ? { counted: value } : {};
}

/** Absent when the step was given for the source but it sent nothing. */
function firstPacketUs(step: TruthStep, source: string, seen: Replayed): number | undefined {
  return seen.sentUs.get(source)?.find((us) => us >= step.startUs - SLACK_US && us <= step.endUs + SLACK_US);
}

function isRight(d: Detection, label: string): boolean {
  return d.label === label || (ALSO_RIGHT[label] ?? []).includes(d.label);
}

/** The detection names the source, its network, or the target that it attacks together with others. */
function concerns(d: Detection, step: TruthStep, source: string): boolean {
  if (d.offender === source || d.srcIp === source) return true;
  const network = parseCidr(d.offender);
  const ip = parseIp(source);
  if (network && ip && network.prefix < 32 && cidrContains(network, ip)) return true;
  const isTarget = d.metadata?.['scope']?.includes('target') === true;
  // A flood that is spread names the network that it is spread over, or all of them.
  const spread = parseCidr(d.metadata?.['network']?.[0] ?? '');
  const isPart = (target: string): boolean => {
    const net = parseCidr(target);
    return spread !== undefined && net !== undefined && cidrContains(spread, net);
  };
  return isTarget && step.targets.some((target) => target === d.victim || isPart(target));
}
