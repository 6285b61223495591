import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import type { Decision } from '../../domain/decision.js';
import { silentLogger } from '../../util/logger.js';
import { createBackendFactory, openBackend } from '../backend/open.js';
import type { EnforceBackend } from '../backend/backend.js';
import type { SetElement } from '../element.js';
import { createLayout, type Layout } from '../layout.js';
import type { EnforceOptions } from '../options.js';
import { planDecision } from '../planner.js';
import { openProbe, type ProbeSocket } from './probe.js';
import { CanaryRun, type CanaryDetection, type CanaryResult, type CanarySighting } from './step.js';

const ATTACKER = { address: '192.0.2.2', mac: '02:00:00:00:02:02' };
const BOX = { address: '192.0.2.1', mac: '02:00:00:00:02:01', port: 7007 };
const DEVICE = 'canary0';
/** Packets between the namespaces need no time; a process that has to wait for a processor does. */
const ARRIVAL_MS = 5000;

/**
 * Two private network namespaces joined by a veth pair, our real ruleset in one of them: a probe passes, the address is
 * blocked, the same probe is dropped and counted, the block is lifted, the probe passes. With `detection` the block comes
 * from hostile packets that a sensor on the link has seen. Everything is removed again.
 * Needs CAP_SYS_ADMIN.
 */
export async function runNamespaceCanary(options: EnforceOptions, detection?: CanaryDetection): Promise<CanaryResult> {
  const run = new CanaryRun();
  const names = { box: `pcl-canary-${process.pid}-b`, attacker: `pcl-canary-${process.pid}-a` };
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-canary-'));
  const own: EnforceOptions = {
    ...options,
    backend: 'nftables',
    table: `${options.table}_canary`.slice(0, 31),
    ingress_interfaces: [],
    bridge: false,
    log_blocked: false,
    state_dir: dir,
  };
  const open: { close(): unknown }[] = [];
  let unprovable: string | undefined;
  try {
    await run.step('two namespaces joined by a veth pair', () => buildNamespaces(names));
    if (!run.ok) unprovable = `no network namespaces can be made here: ${run.steps.at(-1)?.detail ?? ''}`;
    else await prove(run, own, { ...names, detection }, open);
  } finally {
    for (const thing of open.reverse()) await thing.close();
    await removeNamespaces(names);
    rmSync(dir, { recursive: true, force: true });
  }
  const result: CanaryResult = { ok: run.ok, place: 'namespace', steps: run.steps };
  return unprovable === undefined ? result : { ...result, unprovable };
}

async function prove(
  run: CanaryRun,
  options: EnforceOptions,
  names: { box: string; attacker: string; detection: CanaryDetection | undefined },
  open: { close(): unknown }[],
): Promise<void> {
  const layout = createLayout(options);
  let backend!: EnforceBackend;
  let server!: ProbeSocket;
  let client!: ProbeSocket;
  let elements: SetElement[] = [];
  const change = async (kind: 'add' | 'delete'): Promise<string> => {
    const ops = elements.map((element) => ({ kind, element, timeoutMs: kind === 'add' ? 60_000 : 0 }));
    const result = await backend.apply(layout, ops);
    if (result.tableGone || result.failed.size > 0)
      throw new Error([...result.failed.values()][0] ?? 'the table is gone');
    return `${elements.map((e) => e.set).join(', ')} acknowledged`;
  };
  await run.step('our ruleset is loaded', async () => {
    const factory = createBackendFactory({ netns: names.box });
    backend = (await openBackend(factory, layout, options, silentLogger)).backend;
    open.push(backend);
    await backend.replace(layout, []);
    return `backend ${backend.name}, ${layout.sets.size} sets`;
  });
  await run.step('a probe passes before the block', async () => {
    server = openProbe(BOX, names.box);
    open.push(server);
    client = openProbe({ address: ATTACKER.address, port: 0 }, names.attacker);
    open.push(client);
    return arrives(server, client);
  });
  let decision = canaryDecision(ATTACKER.address);
  if (names.detection) decision = (await detect(run, names.detection, names, open)) ?? decision;
  await run.step('a decision becomes a kernel element', () => {
    const plan = planDecision(decision, options, false);
    if ('refused' in plan) throw new Error(plan.refused);
    ({ elements } = plan);
    return change('add');
  });
  await run.step('the same probe is dropped and counted', () =>
    isDropped(server, client, { backend, layout, elements }),
  );
  await run.step('the block is lifted', () => change('delete'));
  await run.step('the probe passes again', () => arrives(server, client));
}

/** Hostile packets on the link until our sensor and a policy have made a decision of them. */
async function detect(
  run: CanaryRun,
  detection: CanaryDetection,
  { box, attacker }: { box: string; attacker: string },
  open: { close(): unknown }[],
): Promise<Decision | undefined> {
  await run.step('a sensor watches the link', () => {
    open.push(detection);
    return detection.open({ box, attacker, interface: DEVICE, target: BOX.address });
  });
  let seen: CanarySighting | undefined;
  await run.step('a scan of the box leads to a decision', async () => {
    seen = await detection.provoke();
    if (seen.decision.value !== ATTACKER.address) throw new Error(`decided about ${seen.decision.value}`);
    return `${seen.decision.action} ${seen.decision.value}`;
  });
  if (!seen) return undefined;
  const { label, packetUs, detectedUs, decidedUs, decision } = seen;
  const ms = (fromUs: number, toUs: number): number => (toUs - fromUs) / 1000;
  run.record({
    name: 'of this: from the telling packet to the detection',
    ok: true,
    ms: ms(packetUs, detectedUs),
    detail: label,
  });
  run.record({
    name: 'of this: from the detection to the decision',
    ok: true,
    ms: ms(detectedUs, decidedUs),
    detail: `policy ${decision.policy ?? ''}`,
  });
  return decision;
}

async function arrives(server: ProbeSocket, client: ProbeSocket): Promise<string> {
  client.send(BOX.address, BOX.port);
  const startMs = performance.now();
  for (;;) {
    const isLast = performance.now() - startMs >= ARRIVAL_MS;
    if (server.receive() > 0) return 'arrived';
    if (isLast) throw new Error(`the probe did not arrive within ${ARRIVAL_MS} ms`);
    await sleep(1);
  }
}

async function isDropped(
  server: ProbeSocket,
  client: ProbeSocket,
  kernel: { backend: EnforceBackend; layout: Layout; elements: readonly SetElement[] },
): Promise<string> {
  client.send(BOX.address, BOX.port);
  const startMs = performance.now();
  for (;;) {
    const isLast = performance.now() - startMs >= ARRIVAL_MS;
    if (server.receive() > 0) throw new Error('the probe arrived although its source is blocked');
    const [state] = await kernel.backend.lookup(kernel.layout, kernel.elements);
    if ((state?.packets ?? 0) > 0) return `${state?.packets ?? 0} packet dropped by ${kernel.elements[0]?.set ?? ''}`;
    if (isLast) throw new Error('the probe neither arrived nor was counted by the block');
    await sleep(1);
  }
}

/** A block of one address for a minute, as a policy would make it. */
export function canaryDecision(value: string): Decision {
  const nowMs = Date.now();
  return {
    id: 'canary',
    action: 'block',
    scope: 'ip',
    value,
    traffic: 'from',
    durationSecs: 60,
    createdMs: nowMs,
    expiresMs: nowMs + 60_000,
    origin: 'operator',
    actor: 'canary',
    reason: 'canary',
    alertIds: [],
    simulated: false,
    mode: 'enforce',
    step: 0,
    enforcement: 'pending',
    trace: { packetUs: 0, detectedUs: 0, alertUs: 0, decidedUs: 0, receivedUs: 0, kernelUs: 0 },
  };
}

/** Fixed hardware addresses and neighbours: the first packet does not wait for ARP. */
async function buildNamespaces({ box, attacker }: { box: string; attacker: string }): Promise<string> {
  await ip(['netns', 'add', box]);
  await ip(['netns', 'add', attacker]);
  const link = ['link', 'add', DEVICE, 'address', BOX.mac, 'type', 'veth'];
  await ip(['-n', box, ...link, 'peer', 'name', 'canary1', 'address', ATTACKER.mac, 'netns', attacker]);
  await Promise.all([
    side(box, DEVICE, { own: BOX, peer: ATTACKER }),
    side(attacker, 'canary1', { own: ATTACKER, peer: BOX }),
  ]);
  return `${box}, ${attacker}`;
}

interface End {
  address: string;
  mac: string;
}

async function side(netns: string, device: string, { own, peer }: { own: End; peer: End }): Promise<void> {
  await ip(['-n', netns, 'addr', 'add', `${own.address}/30`, 'dev', device]);
  await ip(['-n', netns, 'link', 'set', device, 'up']);
  const neighbour = ['neigh', 'replace', peer.address, 'lladdr', peer.mac, 'dev', device, 'nud', 'permanent'];
  await ip(['-n', netns, ...neighbour]);
}

async function removeNamespaces({ box, attacker }: { box: string; attacker: string }): Promise<void> {
  for (const name of [box, attacker]) await execa('ip', ['netns', 'delete', name], { reject: false });
}

async function ip(args: readonly string[]): Promise<void> {
  await execa('ip', args, { timeout: 5000, stdin: 'ignore' });
}
