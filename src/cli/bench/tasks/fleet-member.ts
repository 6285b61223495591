import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Decision } from '../../../domain/decision.js';
import type { Detection } from '../../../domain/detection.js';
import { fleetOptionsSchema, loadFleetLink, openFleetMemory, type FleetLink } from '../../../fleet/index.js';
import { silentLogger } from '../../../util/logger.js';
import { uuid7 } from '../../../util/uuid7.js';

interface Options {
  folder: string;
  dataDir: string;
  /** Takes work as a server does. */
  server: boolean;
}

const TICK_MS = 20;
const AT_ONCE = 100;
/** Sources of the detections: as many attackers at once. */
const OFFENDERS = 5000;

/** One member of a fleet: link, spools and copy of the decisions as the server daemon has them, without daemons around. */
export async function runFleetMember({ folder, dataDir, server }: Options): Promise<void> {
  const counts = { adopted: 0, taken: 0 };
  let said = 0;
  const lagsMs: number[] = [];
  const seen = new Set<string>();
  const options = fleetOptionsSchema.parse({ folder });
  const { openFleetLink } = await loadFleetLink();
  const link = openFleetLink(options, {
    memory: await openFleetMemory(options, folder, dataDir),
    version: '0.0.0',
    log: silentLogger,
    health: () => ({
      mode: 'enforce',
      sensor: { connected: false, interfaces: [], packets: 0, bytes: 0, kernelDrops: 0, flows: 0 },
      responder: { connected: false, backend: '', desired: 0, enforced: 0 },
      stats: {},
    }),
    hasResponder: () => false,
    adopt: () => void counts.adopted++,
    lift: () => undefined,
    forged: () => undefined,
    roster: () => undefined,
    settings: () => undefined,
    policy: () => undefined,
    addresses: () => undefined,
    ...(server
      ? {
          server: {
            take(work) {
              if (work.type !== 'detection') return;
              counts.taken++;
              seen.add(work.detection.id);
              lagsMs.push(Date.now() - work.detection.packetUs / 1000);
            },
            stored: () => Promise.resolve(),
            reports: () => undefined,
            heard: () => undefined,
          },
        }
      : {}),
  });
  const ticking = setInterval(() => link.tick(Date.now()), 1000);

  const status = (): object => {
    const { connected, beat } = link.status();
    const { user, system } = process.cpuUsage();
    return {
      ...{ connected, ...counts, different: seen.size, known: beat.decisions.known },
      ...{ waiting: beat.decisions.waiting, spooled: beat.spool.waiting, dropped: beat.spool.dropped },
      rssMiB: Math.round(process.memoryUsage.rss() / 1048576),
      peakMiB: Math.round(process.resourceUsage().maxRSS / 1024),
      cpuMs: Math.round((user + system) / 1000),
    };
  };

  /** Sorting 100,000 of them is for the end. */
  const lags = (): object => {
    const sorted = Float64Array.from(lagsMs).sort();
    const at = (part: number): number => sorted[Math.floor(sorted.length * part)] ?? 0;
    return { lagP50Ms: at(0.5), lagP95Ms: at(0.95) };
  };

  for await (const line of createInterface({ input: process.stdin })) {
    const [command = '', first = '0', second = '0'] = line.split(' ');
    if (command === 'say') await say(link, said, (said += Number(first)));
    else if (command === 'detect') await detect(link, Number(first), Number(second));
    process.stdout.write(`${JSON.stringify(command === 'lags' ? { ...status(), ...lags() } : status())}\n`);
  }
  clearInterval(ticking);
  await link.close();
}

/** Decisions one after the other as fast as they can be signed, with turns for the connection. */
async function say(link: FleetLink, from: number, to: number): Promise<void> {
  for (let i = from; i < to; i++) {
    const decision = sampleDecision(i);
    link.seal(decision);
    link.decided(decision);
    if (i % AT_ONCE === 0) await new Promise(setImmediate);
  }
}

/** Detections at a steady rate. */
async function detect(link: FleetLink, perSecond: number, secs: number): Promise<void> {
  const startMs = performance.now();
  for (let sent = 0; sent < perSecond * secs;) {
    const due = Math.min(perSecond * secs, ((performance.now() - startMs) / 1000) * perSecond);
    for (; sent < due; sent++) link.detection(sampleDetection(sent), undefined);
    await sleep(TICK_MS);
  }
}

function sampleDecision(n: number): Decision {
  const nowMs = Date.now();
  return {
    ...{ id: uuid7(nowMs), action: 'block', scope: 'ip', value: addressOf(n), traffic: 'from' },
    ...{ durationSecs: 3600, createdMs: nowMs, expiresMs: nowMs + 3_600_000, origin: 'policy', actor: 'bench' },
    ...{ reason: 'port_scan with confidence 0.93', policy: 'scan', policyVersion: 1, alertIds: [] },
    ...{ simulated: false, mode: 'enforce', step: 0, enforcement: 'pending' },
    trace: { packetUs: 0, detectedUs: 0, alertUs: 0, decidedUs: 0, receivedUs: 0, kernelUs: 0 },
  };
}

function sampleDetection(n: number): Detection {
  const nowMs = Date.now();
  const offender = addressOf(n % OFFENDERS);
  return {
    ...{ id: uuid7(nowMs), tier: 'behaviour', signatureId: 1001, gid: 2, rev: 1, label: 'port_scan' },
    ...{ title: 'TCP port scan', category: 'Attempted Information Leak', severity: 'medium', score: 0.9 },
    ...{ confidence: 0.93, offender, victim: '192.0.2.10', spoofable: false },
    evidence: [
      { name: 'distinct_ports', value: 212, usual: 3, text: '212 distinct ports in 2 s; usual: 3' },
      { name: 'failed_share', value: 0.97, text: '97 % of the connections were refused' },
    ],
    ...{ packetUs: nowMs * 1000, detectedUs: nowMs * 1000, sensor: 'bench', srcIp: offender, srcPort: 40_000 },
    ...{ dstIp: '192.0.2.10', dstPort: 22, proto: 6, flowId: n, communityId: '1:LQU9qZlK+B5F3KDmev6m5PMibrg=' },
  };
}

const addressOf = (n: number): string => `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`;
