import { PROGRESS_DONE, type AppTransaction, type BufferValue } from '../../domain/app-layer.js';
import type { Direction } from '../../domain/flow.js';
import type { BufferGroup, SharedBuffers, TransactionGroup } from './group/transaction-group.js';
import type { RuleGroups } from './groups.js';
import { headerMatches, packetMatches } from './header.js';
import { Candidates } from './match/candidates.js';
import type { Inspector } from './match/inspect.js';
import type { BufferInspection, Rule } from './rule.js';
import type { Scene } from './scene.js';
import {
  isOver,
  testVerdict,
  WAITS_FOR_BODY,
  WAITS_FOR_OTHER,
  WAITS_FOR_PACKET,
  waitsFor,
  type Verdict,
} from './transaction-tests.js';
import { TransactionStates, UNSEEN, type SideState, type TransactionState } from './transaction-state.js';

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
/** The protocol parser gives up its oldest transactions without a word; this many are remembered in vain at most. */
const MAX_FORGOTTEN = 64;
/** Protocols whose fields, but for bodies, appear only when a transaction makes progress. */
const STEPWISE = new Set<string>(['http']);
/** Rules that wait for more of a body longer than this are tried again when a quarter has come to it. */
const LONG_BODY_BYTES = 16_384;

/** Looks at the transactions of a flow, each rule until it matched or cannot match any more. */
export class TransactionInspector {
  readonly #deps: TransactionDeps;
  readonly #waits: Uint8Array;
  /** Values of the transaction being looked at behind their transforms, by number of the key, with the look they are of. */
  readonly #values: (readonly Uint8Array[] | undefined)[] = [];
  readonly #valueLooks: number[] = [];
  /** Lists of one value, by number of the key; filled again by every look. */
  readonly #lists: [Uint8Array][] = [];
  #look = 0;
  /** Rules whose pattern was found just now. */
  readonly #found: Candidates;
  /** Buffers that have matched, as bits, of the rule tried last. */
  #bits = 0;
  #memory: TransactionState | undefined;
  #side: SideState | undefined;
  #direction: Direction = 0;
  #transaction: AppTransaction | undefined;
  #place: Place | undefined;

  constructor(deps: TransactionDeps) {
    this.#deps = deps;
    this.#found = new Candidates(deps.rules.length);
    this.#waits = Uint8Array.from(deps.rules, waitsFor);
  }

  inspect(scene: Scene): void {
    const { app } = scene;
    if (!app || app.transactions.length === 0) return;
    const state = scene.ensureState();
    if (!state) return;
    const known = (state.transactions ??= new TransactionStates());
    if (known.size > app.transactions.length + MAX_FORGOTTEN) known.keep(app.transactions);
    const direction = scene.side;
    for (let i = 0; i < app.transactions.length;) {
      const transaction = app.transactions[i]!;
      const memory = known.of(transaction);
      if (transaction.side !== undefined) memory.finished[1 - transaction.side] = true;
      if (!memory.finished[direction]) this.#inspectOne(scene, transaction, memory);
      const done = transaction.progress[direction] === PROGRESS_DONE || scene.ended;
      if (done && !this.#awaitsOther(transaction, memory, scene)) memory.finished[direction] = true;
      if (memory.finished[0] && memory.finished[1]) {
        known.delete(transaction);
        app.release(transaction);
      }
      if (app.transactions[i] === transaction) i++;
    }
  }

  #awaitsOther(transaction: AppTransaction, memory: TransactionState, scene: Scene): boolean {
    const side = memory.sides[scene.side];
    if (side === undefined || side.candidates.length === 0 || isOver(transaction, scene)) return false;
    return side.candidates.some((id) => (this.#waits[id]! & WAITS_FOR_OTHER) !== 0);
  }

  #inspectOne(scene: Scene, transaction: AppTransaction, memory: TransactionState): void {
    const direction = scene.side;
    const side = this.#sideOf(memory, transaction, direction);
    const { group } = side;
    this.#memory = memory;
    this.#side = side;
    this.#direction = direction;
    this.#transaction = transaction;
    this.#look++;
    this.#found.clear();
    const progress = transaction.progress[direction];
    const hasStepped = progress !== side.progress || scene.ended || !STEPWISE.has(transaction.proto);
    side.progress = progress;
    const before = side.grown;
    if (!this.#passQuietBodies(scene, side, transaction)) this.#searchBodies(group, side, transaction, direction);
    if (hasStepped) {
      for (let i = group.growing; i < group.buffers.length; i++) {
        const { inspection } = group.buffers[i]!;
        if (side.seen[i] !== UNSEEN && !inspection.buffer.multi && !inspection.buffer.grows) continue;
        const values = this.#read(inspection, transaction, direction);
        if (values) this.#searchBuffer(group.buffers[i]!, i, side, values);
      }
    }
    if (side.candidates.length === 0) return;
    if (hasStepped || this.#found.size > 0 || side.grown !== before)
      this.#evaluate(scene, transaction, memory, hasStepped);
    else if (side.candidates.some(this.#waitsForPacket)) this.#evaluate(scene, transaction, memory, false);
  }

  /** True when a search of the stream has shown already that there is nothing in what came to a body. */
  #passQuietBodies(scene: Scene, side: SideState, transaction: AppTransaction): boolean {
    const { group, seen } = side;
    const stream = scene.state?.streams[scene.direction];
    if (group.shared === undefined || stream === undefined) return false;
    const direction = scene.side;
    const position = transaction.bodyPosition?.(direction) ?? -1;
    const { members } = group.shared;
    const before = seen[members[0]!]!;
    if (!stream.isQuiet(position, Math.max(0, before))) return false;
    for (let k = 1; k < members.length; k++) if (seen[members[k]!] !== before) return false;
    const length = transaction.bodyLength!(direction);
    if (length === 0) return false;
    for (let i = 0; i < group.growing; i++) {
      const { inspection, limit } = group.buffers[i]!;
      if (seen[i]! < limit && limit !== Infinity) {
        const values = this.#read(inspection, transaction, direction);
        if (values) this.#searchBuffer(group.buffers[i]!, i, side, values);
      }
      seen[i] = length;
    }
    side.grown = length * group.growing;
    return true;
  }

  #searchBodies(group: TransactionGroup, side: SideState, transaction: AppTransaction, direction: Direction): void {
    if (group.growing === 0) return;
    let grown = 0;
    const isShared =
      group.shared !== undefined && this.#searchShared(group.shared, group, side, transaction, direction);
    for (let i = 0; i < group.growing; i++) {
      const values = this.#read(group.buffers[i]!.inspection, transaction, direction);
      if (!values) continue;
      grown += values[0]!.length;
      if (!isShared || !group.shared!.members.includes(i)) this.#searchBuffer(group.buffers[i]!, i, side, values);
    }
    side.grown = grown;
  }

  /** One search for buffers that are the same bytes; false when they are not. */
  #searchShared(
    shared: SharedBuffers,
    group: TransactionGroup,
    side: SideState,
    transaction: AppTransaction,
    direction: Direction,
  ): boolean {
    const { members } = shared;
    const first = this.#read(group.buffers[members[0]!]!.inspection, transaction, direction);
    if (first?.length !== 1) return false;
    const value = first[0]!;
    const before = side.seen[members[0]!]!;
    for (const i of members) {
      const other = this.#read(group.buffers[i]!.inspection, transaction, direction);
      if (other?.length !== 1 || side.seen[i] !== before || !isSame(value, other[0]!)) return false;
    }
    if (before === value.length) return true;
    for (const i of members) side.seen[i] = value.length;
    const seen = Math.max(0, before);
    const { prefilter } = shared;
    prefilter.scan(value, Math.max(0, seen - prefilter.longest), value.length, seen, this.#hit);
    return true;
  }

  #searchBuffer(buffer: BufferGroup, index: number, side: SideState, values: readonly Uint8Array[]): void {
    const isOne = values.length === 1;
    const size = isOne ? values[0]!.length : values.reduce((sum, v) => sum + v.length + 1, 0);
    const before = side.seen[index]!;
    if (before === size) return;
    side.seen[index] = size;
    const { prefilter, limit } = buffer;
    const fresh = buffer.grows && isOne ? Math.max(0, before) : 0;
    for (const value of values) {
      const end = Math.min(value.length, limit);
      if (end > fresh) prefilter.scan(value, Math.max(0, fresh - prefilter.longest), end, fresh, this.#hit);
    }
  }

  readonly #waitsForPacket = (id: number): boolean => (this.#waits[id]! & WAITS_FOR_PACKET) !== 0;

  readonly #hit = (ids: readonly number[]): void => {
    for (const id of ids) {
      this.#found.add(id);
      this.#side!.add(id);
      if (this.#deps.rules[id]!.direction !== '=>') continue;
      this.#sideOf(this.#memory!, this.#transaction!, (1 - this.#direction) as Direction).add(id);
    }
  };

  #sideOf(memory: TransactionState, transaction: AppTransaction, direction: Direction): SideState {
    const known = memory.sides[direction];
    return known ?? memory.open(direction, this.#deps.groups.transaction(transaction.proto, direction));
  }

  #evaluate(scene: Scene, transaction: AppTransaction, memory: TransactionState, hasStepped: boolean): void {
    const direction = scene.side;
    const side = memory.sides[direction]!;
    const { candidates } = side;
    const isLong = !hasStepped && side.grown > LONG_BODY_BYTES && side.grown < side.tried * 1.25;
    if (!isLong) side.tried = side.grown;
    const causes = WAITS_FOR_PACKET | (isLong ? 0 : WAITS_FOR_BODY);
    let kept = 0;
    for (const id of candidates) {
      const isDue = hasStepped || (this.#waits[id]! & causes) !== 0 || this.#found.has(id);
      if (!isDue || !this.#settle(scene, transaction, memory, id)) candidates[kept++] = id;
    }
    candidates.length = kept;
  }

  /** Tries a rule; true when it need not be tried again. */
  #settle(scene: Scene, transaction: AppTransaction, memory: TransactionState, id: number): boolean {
    const rule = this.#deps.rules[id]!;
    const key = rule.direction === '=>' ? 2 * id : 2 * id + scene.side;
    const bits = memory.bitsOf(key);
    if (bits === SETTLED || !headerMatches(rule, scene)) return true;
    this.#place = undefined;
    const verdict = this.#advance(rule, bits, scene, transaction);
    if (verdict === 'wait') {
      if (this.#bits !== bits) memory.setBits(key, this.#bits);
      return false;
    }
    memory.setBits(key, SETTLED);
    if (verdict === 'yes') this.#deps.matched(rule, this.#place, transaction);
    return true;
  }

  /** Evaluates the buffers that have not matched yet; those that have are in `#bits` then. */
  #advance(rule: Rule, before: number, scene: Scene, transaction: AppTransaction): Verdict {
    this.#bits = before;
    let waiting = false;
    const final = transaction.progress[scene.side] === PROGRESS_DONE || scene.ended;
    this.#deps.inspector.begin();
    for (let i = 0; i < rule.buffers.length; i++) {
      const inspection = rule.buffers[i]!;
      const mask = 1 << Math.min(i, 29);
      if ((before & mask) !== 0 && rule.variables === 0) continue;
      if ((inspection.buffer.towards & (1 << scene.side)) === 0) {
        waiting = true;
        continue;
      }
      const verdict = this.#bufferVerdict(inspection, transaction, scene, final);
      if (verdict === 'no') return 'no';
      if (verdict === 'yes') this.#bits |= mask;
      else waiting = true;
    }
    for (const test of rule.transactionTests) {
      const verdict = testVerdict(test, transaction, scene, final);
      if (verdict === 'no') return verdict;
      if (verdict === 'wait') waiting = true;
    }
    if (waiting) return 'wait';
    if (rule.payload.length > 0 && !this.#deps.payloadMatches(rule)) return final ? 'no' : 'wait';
    if (!packetMatches(rule, scene) || !this.#deps.stateMatches(rule)) return final ? 'no' : 'wait';
    return 'yes';
  }

  #bufferVerdict(inspection: BufferInspection, transaction: AppTransaction, scene: Scene, final: boolean): Verdict {
    const absent = inspection.matches.find((m) => m.kind === 'absent');
    const values = inspection.buffer.source === 'packet' ? undefined : this.#read(inspection, transaction, scene.side);
    if (!values) return final ? (absent && absent.alternative !== 'failed' ? 'yes' : 'no') : 'wait';
    if (absent && this.#hasFailed(inspection, transaction, scene.side)) return 'yes';
    for (const value of values) {
      if (!this.#deps.inspector.run(inspection.matches, value, 0, final || !inspection.buffer.grows)) continue;
      const { offset, length } = this.#deps.inspector.found;
      if (length > 0) this.#place = { buffer: inspection.buffer.name, data: value, offset, length };
      return 'yes';
    }
    return !final && (inspection.buffer.grows || inspection.buffer.multi) ? 'wait' : 'no';
  }

  /** One of the transforms of one of the field's values could not be applied. */
  #hasFailed({ buffer, transforms }: BufferInspection, transaction: AppTransaction, direction: Direction): boolean {
    if (transforms.every((transform) => transform.fails === undefined)) return false;
    const raw = transaction.buffer(buffer.name, direction);
    const values = raw === undefined ? [] : raw instanceof Uint8Array ? [raw] : raw;
    return values.some((value) => {
      let before: Uint8Array = value;
      return transforms.some((transform) => {
        if (transform.fails?.(before) === true) return true;
        before = transform.apply(before);
        return false;
      });
    });
  }

  /** The field's values behind its transforms, or undefined when it is not there (yet). */
  #read(
    inspection: BufferInspection,
    transaction: AppTransaction,
    direction: Direction,
  ): readonly Uint8Array[] | undefined {
    if ((inspection.buffer.towards & (1 << direction)) === 0) return undefined;
    const { keyNumber } = inspection;
    if (this.#valueLooks[keyNumber] === this.#look) return this.#values[keyNumber];
    const { made } = inspection.buffer;
    const raw: BufferValue | undefined = transaction.buffer(made?.of ?? inspection.buffer.name, direction);
    if (raw === undefined) return undefined;
    let values: readonly Uint8Array[] = raw instanceof Uint8Array ? this.#listOf(keyNumber, raw) : raw;
    if (values.length === 0) return undefined;
    if (made !== undefined) values = values.map((v) => made.by(v));
    for (const transform of inspection.transforms) values = values.map((v) => transform.apply(v));
    this.#values[keyNumber] = values;
    this.#valueLooks[keyNumber] = this.#look;
    return values;
  }

  #listOf(keyNumber: number, value: Uint8Array): readonly Uint8Array[] {
    const known = this.#lists[keyNumber];
    if (known === undefined) return (this.#lists[keyNumber] = [value]);
    known[0] = value;
    return known;
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.buffer === b.buffer && a.byteOffset === b.byteOffset && a.length === b.length;
}
