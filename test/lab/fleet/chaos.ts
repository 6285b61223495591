import { setTimeout as delay } from 'node:timers/promises';
import type { Decision } from '../../../src/domain/decision.js';
import { Random } from '../random.js';
import { waitFor } from '../wait.js';
import { faultsOf, pickFaults, type Fault } from './faults.js';
import type { FleetLab } from './fleet-lab.js';
import { ATTACKERS } from './net.js';
import { disagreements, type Acknowledged } from './ledger.js';
import type { Probe } from './probe.js';

export interface ChaosOptions {
  rounds: number;
  seed: number;
  /** Only faults whose name has this in it; all when it is empty. */
  only: string;
  /** Longest time from the end of the faults until all kernels agree. */
  convergeMs: number;
  /** Longest time that a round's faults last. */
  faultMs: number;
  /** Attackers that nobody has used yet. */
  attackers: string[];
  say(line: string): void;
}

export interface ChaosResult {
  rounds: {
    faults: string[];
    /** From the end of the faults until all kernels hold what was acknowledged. */
    agreedMs: number;
    /** From the end of the faults until every process of the fleet works again and has said so. */
    upMs: number;
    /** From then until all kernels agree, still or again. */
    convergeMs: number;
    acknowledged: number;
    differed: boolean;
  }[];
  ledger: Acknowledged[];
  attacked: string[];
}

/** Protected on every box, as its NATS servers, members and its own: signed orders to block them are given every round. */
const PROTECTED = ['10.78.0.11', '10.78.0.12', '10.78.0.13', '10.78.0.1', '10.78.0.101', '10.78.0.103', '127.0.0.1'];
const isProtected = (value: string): boolean => PROTECTED.includes(value);
const OPERATOR_BLOCKS = 3;
/** As long as a process may take to be up. */
const AGREE_MS = 60_000;
const WORK_EVERY_MS = 2000;

/**
 * Faults of a seeded kind and place, again and again, while people and policies go on making, and lifting, blocks. After each
 * round what was acknowledged must be what all kernels hold. @throws Error naming seed, round and what differs.
 */
export async function runChaos(lab: FleetLab, probe: Probe, options: ChaosOptions): Promise<ChaosResult> {
  const random = new Random(options.seed);
  const ledger = new Map<string, Acknowledged>();
  const result: ChaosResult = { rounds: [], ledger: [], attacked: [] };
  const all = faultsOf(lab).filter((fault) => fault.name.includes(options.only));
  let next = 1;
  // What earlier tests have blocked is acknowledged too, and not touched.
  for (const value of (await kernelsOf(lab)).values().next().value ?? []) {
    ledger.set(value, { id: '', value, endMs: Infinity, state: 'unsure', atMs: 0 });
  }

  async function block(server: number): Promise<void> {
    const value = `198.51.${100 + (next >> 8)}.${next++ & 255}`;
    const durationSecs = random.next() < 0.3 ? random.integer(2, 6) : 3600;
    const unsure: Acknowledged = { id: '', value, endMs: Infinity, state: 'unsure', atMs: Date.now() };
    ledger.set(value, unsure);
    const body = { value, durationSecs, reason: 'chaos' };
    const answer = await lab.servers[server]!.api.ask<Decision>('POST', '/decisions', body).catch(() => undefined);
    if (answer?.status !== 201) return;
    const { id, expiresMs: endMs } = answer.body;
    ledger.set(value, { id, value, endMs, state: 'active', atMs: Date.now() });
  }

  async function lift(server: number): Promise<void> {
    const candidates = [...ledger.values()].filter(
      (a) => a.state === 'active' && a.id !== '' && a.endMs > Date.now() + 9000,
    );
    if (candidates.length === 0) return;
    const entry = random.pick(candidates);
    entry.state = 'unsure';
    const answer = await lab.servers[server]!.api.ask('DELETE', `/decisions/${entry.id}`).catch(() => undefined);
    if (answer === undefined || answer.status >= 500) return;
    // A server that has just started may not know it yet, and says so: nothing was promised then.
    entry.state = answer.status < 300 ? 'lifted' : 'active';
    entry.atMs = Date.now();
  }

  async function attack(): Promise<void> {
    const ip = options.attackers.shift();
    if (ip === undefined) return;
    ledger.set(ip, { id: '', value: ip, endMs: Infinity, state: 'unsure', atMs: Date.now() });
    await lab.attack(ip);
    result.attacked.push(ip);
    ledger.set(ip, { id: '', value: ip, endMs: Infinity, state: 'active', atMs: Date.now() });
  }

  /** Rightly signed, by a server's key: only the guards of each box stand between it and the kernel. */
  function order(): void {
    for (const value of PROTECTED) probe.put(probe.statement(value)).catch(() => undefined);
  }

  async function differ(): Promise<string[]> {
    const kernels = await kernelsOf(lab);
    return disagreements(ledger.values(), kernels, { isProtected, nowMs: Date.now() });
  }

  async function round(): Promise<void> {
    const faults = pickFaults(all, random);
    const names = faults.map((f) => f.name);
    await Promise.all(faults.map((f) => f.begin()));
    const untilMs = Date.now() + random.next() * options.faultMs;
    const live = lab.servers.map((_, i) => i).filter((i) => !faults.some((f) => f.deaf === i));
    order();
    for (let i = 0; i < OPERATOR_BLOCKS; i++) await block(random.pick(live));
    await lift(random.pick(live));
    if (!faults.some((f) => f.blind.includes(0)) && random.next() < 0.5) await attack();
    let differed = false;
    let nextMs = Date.now() + WORK_EVERY_MS;
    do {
      const now = await differ();
      differed ||= now.length > 0;
      const grave = now.filter((text) => !/does not block|still blocks/.test(text));
      if (grave.length > 0) throw new Error(`during ${names.join(' and ')}: ${grave.join('; ')}`);
      // A long fault: people and attackers go on.
      if (Date.now() > nextMs) {
        nextMs = Date.now() + WORK_EVERY_MS;
        await block(random.pick(live));
        if (random.next() < 0.5) await lift(random.pick(live));
        if (!faults.some((f) => f.blind.includes(0)) && random.next() < 0.1) await attack();
      }
      await delay(50);
    } while (Date.now() < untilMs);
    await heal(faults, names, differed);
  }

  async function heal(faults: readonly Fault[], names: string[], differed: boolean): Promise<void> {
    const startMs = performance.now();
    await Promise.all(faults.map((f) => f.end()));
    let last: string[] = [];
    const agree = async (): Promise<boolean> => (last = await differ()).length === 0;
    const sinceEndMs = (): number => performance.now() - startMs;
    // Decisions wait neither for every process nor for the heartbeats that tell of it.
    const agreeing = waitFor('all kernels agree', agree, { limitMs: AGREE_MS, everyMs: 50 }).then(
      sinceEndMs,
      () => Infinity,
    );
    await lab.login();
    await lab.whole();
    const upMs = sinceEndMs();
    const agreedMs = await agreeing;
    try {
      await waitFor('all kernels agree', agree, { limitMs: options.convergeMs, everyMs: 50 });
    } catch (error) {
      const where = `seed ${options.seed}, round ${result.rounds.length + 1}, ${names.join(' and ')}`;
      throw new Error(`${where}: ${last.slice(0, 10).join('; ')}`, { cause: error });
    }
    const convergeMs = performance.now() - startMs - upMs;
    const acknowledged = [...ledger.values()].filter((a) => a.state !== 'unsure').length;
    result.rounds.push({ faults: names, agreedMs, upMs, convergeMs, acknowledged, differed });
    options.say(
      `round ${result.rounds.length}: ${names.join(' and ')}: kernels agree after ${Math.round(agreedMs)} ms, ` +
        `everybody is up after ${Math.round(upMs)} ms and agrees ${Math.round(convergeMs)} ms later`,
    );
  }

  for (let i = 0; i < options.rounds; i++) await round();
  result.ledger = [...ledger.values()];
  return result;
}

/** What each box's kernel blocks now. */
async function kernelsOf(lab: FleetLab): Promise<Map<string, Set<string>>> {
  const lists = lab.boxes.map(async (box): Promise<[string, Set<string>]> => {
    const { stdout } = await box.run('nft', ['list', 'set', 'inet', 'portcullis', 'block4_32']).ended;
    const elements = /elements = \{([^}]*)\}/s.exec(stdout)?.[1] ?? '';
    return [box.name, new Set(elements.match(/\d+\.\d+\.\d+\.\d+/g) ?? [])];
  });
  return new Map(await Promise.all(lists));
}

/** Attackers that tests with fixed faults leave alone. */
export const CHAOS_ATTACKERS: readonly string[] = ATTACKERS.slice(20);
