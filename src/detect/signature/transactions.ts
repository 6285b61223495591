import { PROGRESS_DONE, type AppTransaction, type BufferValue } from '../../domain/app-layer.js';
import type { Direction } from '../../domain/flow.js';
import type { RuleGroups } from './groups.js';
import { headerMatches, packetMatches } from './header.js';
import type { Inspector } from './match/inspect.js';
import { inRange } from './parse/number.js';
import type { BufferInspection, Rule, TransactionTest } from './rule.js';
import { TransactionState, type Scene } from './scene.js';

/** Where a rule matched, for evidence. */
export interface Place {
  buffer: string;
  data: Uint8Array;
  offset: number;
  length: number;
}

export interface TransactionDeps {
  rules: readonly Rule[];
  groups: RuleGroups;
  inspector: Inspector;
  /** State tests of a rule, right before it matches. */
  stateMatches(rule: Rule): boolean;
  /** Contents without a buffer of a rule about transactions. */
  payloadMatches(rule: Rule): boolean;
  matched(rule: Rule, place: Place | undefined, transaction: AppTransaction): void;
}

const SETTLED = -1;
/** More transactions than this in one flow are inspected without memory of rules that wait. */
const MAX_TRANSACTIONS = 256;

type Verdict = 'yes' | 'no' | 'wait';

/** Looks at the transactions of a flow, each rule until it matched or cannot match any more. */
export class TransactionInspector {
  readonly #deps: TransactionDeps;
  /** Transformed values of the transaction being looked at. */
  readonly #values = new Map<string, Uint8Array[]>();
  #place: Place | undefined;

  constructor(deps: TransactionDeps) {
    this.#deps = deps;
  }

  inspect(scene: Scene): void {
    const { app, state } = scene;
    if (!app || !state || app.transactions.length === 0) return;
    for (const transaction of [...app.transactions]) {
      let memory = state.transactions.get(transaction);
      if (!memory) {
        memory = new TransactionState();
        if (state.transactions.size < MAX_TRANSACTIONS) state.transactions.set(transaction, memory);
      }
      const direction = scene.side;
      if (!memory.finished[direction]) this.#inspectOne(scene, transaction, memory);
      const done = transaction.progress[direction] === PROGRESS_DONE || scene.ended;
      if (done) memory.finished[direction] = true;
      if (memory.finished[0] && memory.finished[1]) {
        state.transactions.delete(transaction);
        app.release(transaction);
      }
    }
  }

  #inspectOne(scene: Scene, transaction: AppTransaction, memory: TransactionState): void {
    const { groups, rules } = this.#deps;
    const direction = scene.side;
    const group = groups.transaction.get(transaction.proto)?.[direction];
    if (!group) return;
    this.#values.clear();
    const candidates = memory.candidates[direction];
    const hit = (ids: readonly number[]): void => {
      for (const id of ids) {
        candidates.add(id);
        if (rules[id]!.direction === '=>') memory.candidates[1 - direction]!.add(id);
      }
    };
    if (!memory.seen.has(`always${direction}`)) {
      memory.seen.set(`always${direction}`, 1);
      for (const id of group.always) candidates.add(id);
    }
    for (const { inspection, prefilter, limit } of group.buffers) {
      const values = this.#read(inspection, transaction, direction);
      if (!values) continue;
      const key = `${inspection.key}/${direction}/${limit}`;
      const size = values.reduce((sum, v) => sum + v.length + 1, 0);
      const before = memory.seen.get(key) ?? 0;
      if (before === size) continue;
      memory.seen.set(key, size);
      const grown = inspection.buffer.grows && inspection.transforms.length === 0 && values.length === 1;
      for (const value of values) {
        const fresh = grown ? Math.max(0, before - 1) : 0;
        const end = Math.min(value.length, limit);
        if (end > fresh) prefilter.scan(value, Math.max(0, fresh - prefilter.longest), end, fresh, hit);
      }
    }
    if (candidates.size > 0) this.#evaluate(scene, transaction, memory);
  }

  #evaluate(scene: Scene, transaction: AppTransaction, memory: TransactionState): void {
    const { rules } = this.#deps;
    const direction = scene.side;
    const candidates = memory.candidates[direction];
    const order = candidates.size > 1 ? [...candidates].sort((a, b) => a - b) : candidates;
    for (const id of order) {
      const rule = rules[id]!;
      const key = rule.direction === '=>' ? 2 * id : 2 * id + direction;
      const bits = memory.progress.get(key) ?? 0;
      if (bits === SETTLED) {
        candidates.delete(id);
        continue;
      }
      if (!headerMatches(rule, scene)) {
        candidates.delete(id);
        continue;
      }
      this.#place = undefined;
      const next = this.#advance(rule, bits, scene, transaction);
      memory.progress.set(key, next.bits);
      if (next.verdict === 'wait') continue;
      candidates.delete(id);
      memory.progress.set(key, SETTLED);
      if (next.verdict === 'yes') this.#deps.matched(rule, this.#place, transaction);
    }
  }

  /** Evaluates the buffers that have not matched yet. */
  #advance(rule: Rule, before: number, scene: Scene, transaction: AppTransaction): { bits: number; verdict: Verdict } {
    let bits = before;
    let waiting = false;
    const final = transaction.progress[scene.side] === PROGRESS_DONE || scene.ended;
    this.#deps.inspector.values.fill(0);
    for (const [i, inspection] of rule.buffers.entries()) {
      const mask = 1 << Math.min(i, 29);
      if ((bits & mask) !== 0 && rule.variables === 0) continue;
      if ((inspection.buffer.towards & (1 << scene.side)) === 0) {
        waiting = true;
        continue;
      }
      const verdict = this.#bufferVerdict(inspection, transaction, scene, final);
      if (verdict === 'no') return { bits, verdict: 'no' };
      if (verdict === 'yes') bits |= mask;
      else waiting = true;
    }
    for (const test of rule.transactionTests) {
      const verdict = testVerdict(test, transaction, scene.side, final);
      if (verdict === 'no') return { bits, verdict };
      if (verdict === 'wait') waiting = true;
    }
    if (waiting) return { bits, verdict: 'wait' };
    if (rule.payload.length > 0 && !this.#deps.payloadMatches(rule)) return { bits, verdict: final ? 'no' : 'wait' };
    if (!packetMatches(rule, scene) || !this.#deps.stateMatches(rule)) return { bits, verdict: final ? 'no' : 'wait' };
    return { bits, verdict: 'yes' };
  }

  #bufferVerdict(inspection: BufferInspection, transaction: AppTransaction, scene: Scene, final: boolean): Verdict {
    const absent = inspection.matches.some((m) => m.kind === 'absent');
    const values = inspection.buffer.source === 'packet' ? undefined : this.#read(inspection, transaction, scene.side);
    if (!values) return final ? (absent ? 'yes' : 'no') : 'wait';
    for (const value of values) {
      if (!this.#deps.inspector.run(inspection.matches, value, 0, final || !inspection.buffer.grows)) continue;
      const { offset, length } = this.#deps.inspector.found;
      if (length > 0) this.#place = { buffer: inspection.buffer.name, data: value, offset, length };
      return 'yes';
    }
    return !final && (inspection.buffer.grows || inspection.buffer.multi) ? 'wait' : 'no';
  }

  /** The field's values behind its transforms, or undefined when it is not there (yet). */
  #read(
    inspection: BufferInspection,
    transaction: AppTransaction,
    direction: Direction,
  ): readonly Uint8Array[] | undefined {
    if ((inspection.buffer.towards & (1 << direction)) === 0) return undefined;
    const known = this.#values.get(inspection.key);
    if (known) return known;
    const raw: BufferValue | undefined = transaction.buffer(inspection.buffer.name, direction);
    if (raw === undefined) return undefined;
    let values = raw instanceof Uint8Array ? [raw] : [...raw];
    if (values.length === 0) return undefined;
    for (const transform of inspection.transforms) values = values.map((v) => transform.apply(v));
    this.#values.set(inspection.key, values);
    return values;
  }
}

function testVerdict(
  test: TransactionTest,
  transaction: AppTransaction,
  direction: Direction,
  final: boolean,
): Verdict {
  if (test.direction !== undefined && test.direction !== direction) return 'wait';
  if (test.kind === 'event') return transaction.events.includes(test.name) ? 'yes' : final ? 'no' : 'wait';
  const value = transaction.number(test.name);
  if (value === undefined) return final ? 'no' : 'wait';
  return inRange(test.range!, value) ? 'yes' : 'no';
}
