import type { FlowIntTest, StateTest } from '../rule.js';

/** Bits of hosts and pairs of hosts with their expiry; the oldest goes when the table is full. */
export interface HostBits {
  has(key: string, nowUs: number): boolean;
  set(key: string, untilUs: number): void;
  clear(key: string): void;
  readonly size: number;
}

export function createHostBits(maxEntries: number): HostBits {
  const table = new Map<string, number>();
  return {
    get size() {
      return table.size;
    },
    has(key, nowUs) {
      const until = table.get(key);
      if (until === undefined) return false;
      if (until >= nowUs) return true;
      table.delete(key);
      return false;
    },
    set(key, untilUs) {
      table.delete(key);
      if (table.size >= maxEntries) table.delete(table.keys().next().value!);
      table.set(key, untilUs);
    },
    clear: (key) => table.delete(key),
  };
}

/** What rules remember about one flow; at most 64 names of each kind. */
export class FlowMemory {
  readonly bits = new Set<string>();
  readonly ints = new Map<string, number>();
}

const MAX_NAMES = 64;

/** Whom a bit is about, in the direction of the packet. */
export interface BitSubject {
  memory: FlowMemory | undefined;
  src: () => string;
  dst: () => string;
  nowUs: number;
}

function hostKeys(test: StateTest, name: string, subject: BitSubject): string[] {
  const src = subject.src();
  const dst = subject.dst();
  switch (test.scope) {
    case 'src':
      return [`h:${name}:${src}`];
    case 'dst':
      return [`h:${name}:${dst}`];
    case 'both':
      return [`h:${name}:${src}`, `h:${name}:${dst}`];
    case 'pair':
      return [`p:${name}:${src < dst ? `${src}:${dst}` : `${dst}:${src}`}`];
    case 'flow':
      return [];
  }
}

/** Tests of bits: `isset` wants one of the names, `isnotset` none of them. */
export function testBits(tests: readonly StateTest[], host: HostBits, subject: BitSubject): boolean {
  for (const test of tests) {
    if (test.action !== 'isset' && test.action !== 'isnotset') continue;
    const isSet = (name: string): boolean =>
      test.scope === 'flow'
        ? (subject.memory?.bits.has(name) ?? false)
        : hostKeys(test, name, subject).every((key) => host.has(key, subject.nowUs));
    if (test.names.some(isSet) !== (test.action === 'isset')) return false;
  }
  return true;
}

/** Changes of bits after a match. */
export function applyBits(tests: readonly StateTest[], host: HostBits, subject: BitSubject): void {
  for (const test of tests) {
    for (const name of test.names) {
      if (test.scope === 'flow') applyFlowBit(test, name, subject.memory);
      else {
        for (const key of hostKeys(test, name, subject)) {
          const on = test.action === 'set' || (test.action === 'toggle' && !host.has(key, subject.nowUs));
          if (on) host.set(key, subject.nowUs + test.expireSecs * 1e6);
          else if (test.action === 'unset' || test.action === 'toggle') host.clear(key);
        }
      }
    }
  }
}

function applyFlowBit(test: StateTest, name: string, memory: FlowMemory | undefined): void {
  if (!memory) return;
  const on = test.action === 'set' || (test.action === 'toggle' && !memory.bits.has(name));
  if (on) {
    if (memory.bits.size < MAX_NAMES) memory.bits.add(name);
  } else if (test.action === 'unset' || test.action === 'toggle') memory.bits.delete(name);
}

/** Compares and changes numbers of the flow, in the order of the rule. */
export function testInts(tests: readonly FlowIntTest[], memory: FlowMemory | undefined): boolean {
  if (tests.length > 0 && !memory) return false;
  for (const test of tests) {
    const have = memory!.ints.get(test.name);
    const want = typeof test.value === 'number' ? test.value : (memory!.ints.get(test.value) ?? 0);
    switch (test.operator) {
      case 'isset':
        if (have === undefined) return false;
        break;
      case 'notset':
      case 'isnotset':
        if (have !== undefined) return false;
        break;
      case '+':
      case '-':
      case '=':
        // Done when the rule has matched, and no condition.
        break;
      default:
        if (have === undefined || !compareInt(test.operator, have, want)) return false;
    }
  }
  return true;
}

export function applyInts(tests: readonly FlowIntTest[], memory: FlowMemory | undefined): void {
  if (!memory) return;
  for (const test of tests) {
    if (test.operator !== '+' && test.operator !== '-' && test.operator !== '=') continue;
    const have = memory.ints.get(test.name) ?? 0;
    const by = typeof test.value === 'number' ? test.value : (memory.ints.get(test.value) ?? 0);
    const value = test.operator === '=' ? by : test.operator === '+' ? have + by : Math.max(0, have - by);
    if (memory.ints.has(test.name) || memory.ints.size < MAX_NAMES) memory.ints.set(test.name, value);
  }
}

function compareInt(operator: FlowIntTest['operator'], have: number, want: number): boolean {
  if (operator === '<') return have < want;
  if (operator === '>') return have > want;
  if (operator === '<=') return have <= want;
  if (operator === '>=') return have >= want;
  if (operator === '!=') return have !== want;
  return have === want;
}
