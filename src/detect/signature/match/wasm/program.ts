import {
  above,
  add,
  and,
  andVector,
  anyTrue,
  atLeast,
  atMost,
  below,
  bitmask8,
  block,
  branch,
  branchIf,
  call,
  differs,
  differs8,
  equal,
  get,
  getGlobal,
  growMemory,
  i32,
  i64,
  isZero,
  leaveIf,
  load32,
  load64,
  load8,
  loadVector,
  loop,
  lower,
  mul,
  mul64,
  or,
  or64,
  set,
  setGlobal,
  shl,
  shr,
  shr16,
  shr64,
  splat8,
  store32,
  storeVector,
  sub,
  swizzle,
  trailingZeros,
  when,
  type Code,
} from './instructions.js';
import {
  ENTRY,
  FOLD_BITS,
  FOLD_TABLE,
  GRAM_CLASS,
  HASH,
  LONG_FOLD_BITS,
  LONG_HASH,
  MAX_NIBBLE_CLASSES,
  NIBBLE_CLASS,
  PATTERN,
  SCRATCH,
  SET,
} from './layout.js';
import { I32, I64, V128, encodeModule, type WasmFunction } from './module.js';

/** Addresses of the scan at hand, its number, and what it found: patterns lie within [BEGIN, STOP), grams from START on. */
const BEGIN = 0;
const START = 1;
const STOP = 2;
const FRESH = 3;
const SCAN = 4;
const OUTPUT = 5;
const FOUND = 6;
const GLOBALS = 7;

const CHECK = 0;
const CHAIN = 1;
const FOURTH = 2;
const SECOND = 3;
const EVERY = 4;
const NIBBLES = 5;
const LONG_CHAIN = 6;
const LONG = 7;

/** Compares a pattern with the bytes from `at` on, and notes it when they are equal. */
function check(): WasmFunction {
  const [pattern, at, length, i] = [0, 1, 2, 3];
  const wanted = load8(add(get(pattern), get(i)), PATTERN.BYTES);
  const byte = load8(add(get(at), get(i)));
  const compare = (given: Code): Code =>
    loop(leaveIf(differs(given, wanted)), set(i, add(get(i), i32(1))), branchIf(below(get(i), get(length)), 0));
  return {
    parameters: 2,
    hasResult: false,
    locals: [I32, I32],
    body: [
      leaveIf(equal(load32(get(pattern), PATTERN.FOUND_IN), getGlobal(SCAN))),
      leaveIf(below(get(at), getGlobal(BEGIN))),
      set(length, load32(get(pattern), PATTERN.LENGTH)),
      leaveIf(above(add(get(at), get(length)), getGlobal(STOP))),
      leaveIf(atMost(add(get(at), get(length)), getGlobal(FRESH))),
      block(
        block(branchIf(load32(get(pattern), PATTERN.NOCASE), 0), compare(byte), branch(1)),
        compare(load8(byte, FOLD_TABLE)),
      ),
      store32(get(pattern), getGlobal(SCAN), PATTERN.FOUND_IN),
      store32(add(getGlobal(OUTPUT), shl(getGlobal(FOUND), i32(2))), load32(get(pattern), PATTERN.INDEX)),
      setGlobal(FOUND, add(getGlobal(FOUND), i32(1))),
    ].flat(),
  };
}

/** Checks the patterns of a chain that have this gram at `at`. */
function chain(): WasmFunction {
  const [entry, at, gram] = [0, 1, 2];
  return {
    parameters: 3,
    hasResult: false,
    locals: [],
    body: loop(
      leaveIf(isZero(get(entry))),
      when(
        equal(load32(get(entry), ENTRY.GRAM), get(gram)),
        call(CHECK, load32(get(entry), ENTRY.PATTERN), sub(get(at), load32(get(entry), ENTRY.AT))),
      ),
      set(entry, load32(get(entry), ENTRY.NEXT)),
      branch(0),
    ),
  };
}

/** The same for grams of eight bytes. */
function longChain(): WasmFunction {
  const [entry, at, gram, upper] = [0, 1, 2, 3];
  const isSame = and(
    equal(load32(get(entry), ENTRY.GRAM), get(gram)),
    equal(load32(get(entry), ENTRY.UPPER), get(upper)),
  );
  return {
    parameters: 4,
    hasResult: false,
    locals: [],
    body: loop(
      leaveIf(isZero(get(entry))),
      when(isSame, call(CHECK, load32(get(entry), ENTRY.PATTERN), sub(get(at), load32(get(entry), ENTRY.AT)))),
      set(entry, load32(get(entry), ENTRY.NEXT)),
      branch(0),
    ),
  };
}

/** Grams looked at before one branch. */
const UNROLL = 4;

/** What one look-up of grams differs in from another. */
interface GramScan {
  /** Bytes of a gram, and of the distance between two that are looked up. */
  width: number;
  stride: number;
  /** Locals of its own, after those of the scan. */
  locals: readonly number[];
  /** Thirty-two bits from the gram at so many bytes after the position. */
  hash(position: Code, offset: number): Code;
  /** The gram may begin a pattern: follows its chain. @param own index of the first local of its own. */
  follow(chain: Code, position: Code, offset: number, own: number): Code;
}

/**
 * Looks up a gram at every `stride`th position: the hash's upper bits choose a word of the filter, its lower five a bit of the
 * word.
 */
function gramScan({ width, stride, locals, hash, follow }: GramScan): WasmFunction {
  const [group, at, shift, filter, chains, last] = [0, 1, 2, 3, 4, 5];
  const hashes = Array.from({ length: UNROLL }, (_, k) => 6 + k);
  const bits = Array.from({ length: UNROLL }, (_, k) => 6 + UNROLL + k);
  const own = 6 + 2 * UNROLL;
  const wordOf = (k: number): Code => shl(shr(get(hashes[k]!), get(shift)), i32(2));
  const look = (k: number): Code =>
    [
      set(hashes[k]!, hash(get(at), k * stride)),
      set(bits[k]!, shr(load32(add(get(filter), wordOf(k))), get(hashes[k]!))),
    ].flat();
  const hit = (k: number): Code =>
    when(and(get(bits[k]!), i32(1)), follow(load32(add(get(chains), wordOf(k))), get(at), k * stride, own));
  const all = hashes.map((_, k) => k);
  const anyBit = all.map((k) => get(bits[k]!)).reduce((a, b) => or(a, b));
  return {
    parameters: 1,
    hasResult: false,
    locals: [I32, I32, I32, I32, I32, ...hashes.map(() => I32), ...bits.map(() => I32), ...locals],
    body: [
      set(shift, load32(get(group), GRAM_CLASS.SHIFT)),
      set(filter, load32(get(group), GRAM_CLASS.FILTER)),
      set(chains, load32(get(group), GRAM_CLASS.CHAINS)),
      set(at, getGlobal(START)),
      set(last, sub(getGlobal(STOP), i32(width + (UNROLL - 1) * stride))),
      block(
        loop(
          branchIf(above(get(at), get(last)), 1),
          ...all.map(look),
          when(and(anyBit, i32(1)), ...all.map(hit)),
          set(at, add(get(at), i32(UNROLL * stride))),
          branch(0),
        ),
      ),
      set(last, sub(getGlobal(STOP), i32(width))),
      loop(leaveIf(above(get(at), get(last))), look(0), hit(0), set(at, add(get(at), i32(stride))), branch(0)),
    ].flat(),
  };
}

/** The folded four bytes at every `stride`th position. */
function grams(stride: number): WasmFunction {
  const gram = (position: Code, offset: number): Code => or(load32(position, offset), i32(FOLD_BITS));
  return gramScan({
    width: 4,
    stride,
    locals: [],
    hash: (position, offset) => mul(gram(position, offset), i32(HASH)),
    follow: (chain, position, offset) => call(CHAIN, chain, add(position, i32(offset)), gram(position, offset)),
  });
}

/** Long patterns: the folded eight bytes at every fourth position, of which few are in ordinary text by chance. */
function longGrams(): WasmFunction {
  const gram = (position: Code, offset: number): Code => or64(load64(position, offset), i64(LONG_FOLD_BITS));
  return gramScan({
    width: 8,
    stride: 4,
    locals: [I64],
    hash: (position, offset) => lower(shr64(mul64(gram(position, offset), i64(LONG_HASH)), i64(32n))),
    follow: (chain, position, offset, own) =>
      [
        set(own, gram(position, offset)),
        call(LONG_CHAIN, chain, add(position, i32(offset)), lower(get(own)), lower(shr64(get(own), i64(32n)))),
      ].flat(),
  });
}

/**
 * Few patterns, sixteen positions at a time: four bytes of each pattern are split into nibbles, and a look-up of the
 * input's nibbles in eight tables leaves the chains (one bit each) whose patterns may begin there. After "Teddy" of Hyperscan
 * (Wang et al., NSDI 2019). At positions that are left, patterns shorter than four bytes are compared one by one; the others
 * by the hash of the four bytes.
 */
function nibbles(): WasmFunction {
  const [group, at, mask, lane, chains, bit, entry] = [0, 1, 2, 3, 4, 5, 6];
  const [shift, filter, heads, short, hash] = [7, 8, 9, 10, 11];
  const low = 12;
  const result = 13;
  const bytes = 14;
  const tables = Array.from({ length: 2 * NIBBLE_CLASS.WIDTH }, (_, k) => 15 + k);
  const gram = or(load32(add(get(at), get(lane))), i32(FOLD_BITS));
  const word = shl(shr(get(hash), get(shift)), i32(2));
  const byGram = [
    set(hash, mul(gram, i32(HASH))),
    when(
      and(shr(load32(add(get(filter), word)), get(hash)), i32(1)),
      call(CHAIN, load32(add(get(heads), word)), add(get(at), get(lane)), gram),
    ),
  ].flat();
  const grams = load32(get(group), NIBBLE_CLASS.GRAMS);
  const lookUp = (k: number): Code =>
    [
      set(bytes, loadVector(get(at), k)),
      andVector(
        swizzle(get(tables[2 * k]!), andVector(get(bytes), get(low))),
        swizzle(get(tables[2 * k + 1]!), andVector(shr16(get(bytes), i32(4)), get(low))),
      ),
    ].flat();
  const lookUps = Array.from({ length: NIBBLE_CLASS.WIDTH }, (_, k) => lookUp(k));
  const dropLowest = (local: number): Code => set(local, and(get(local), sub(get(local), i32(1))));
  return {
    parameters: 1,
    hasResult: false,
    locals: [...Array.from({ length: 11 }, () => I32), V128, V128, V128, ...tables.map(() => V128)],
    body: [
      set(short, load32(get(group), NIBBLE_CLASS.SHORT)),
      set(shift, load32(grams, GRAM_CLASS.SHIFT)),
      set(filter, load32(grams, GRAM_CLASS.FILTER)),
      set(heads, load32(grams, GRAM_CLASS.CHAINS)),
      set(low, splat8(i32(15))),
      ...tables.map((table, k) => set(table, loadVector(get(group), 16 * k))),
      set(at, getGlobal(START)),
      loop(
        leaveIf(atLeast(get(at), getGlobal(STOP))),
        set(
          result,
          lookUps.reduce((a, b) => andVector(a, b)),
        ),
        when(
          anyTrue(get(result)),
          storeVector(i32(SCRATCH), get(result)),
          set(mask, bitmask8(differs8(get(result), splat8(i32(0))))),
          loop(
            set(lane, trailingZeros(get(mask))),
            set(chains, load8(get(lane), SCRATCH)),
            when(differs(and(get(chains), get(short)), get(chains)), byGram),
            set(chains, and(get(chains), get(short))),
            when(
              get(chains),
              loop(
                set(bit, trailingZeros(get(chains))),
                set(entry, load32(add(get(group), shl(get(bit), i32(2))), NIBBLE_CLASS.CHAINS)),
                loop(
                  call(
                    CHECK,
                    load32(get(entry), ENTRY.PATTERN),
                    sub(add(get(at), get(lane)), load32(get(entry), ENTRY.AT)),
                  ),
                  set(entry, load32(get(entry), ENTRY.NEXT)),
                  branchIf(get(entry), 0),
                ),
                dropLowest(chains),
                branchIf(get(chains), 0),
              ),
            ),
            dropLowest(mask),
            branchIf(get(mask), 0),
          ),
        ),
        set(at, add(get(at), i32(16))),
        branch(0),
      ),
    ].flat(),
  };
}

/** Patterns of a set that end behind `fresh`: leaves how many, their indices are in the set's output. */
function scan(): WasmFunction {
  const [group, begin, start, stop, fresh] = [0, 1, 2, 3, 4];
  const run = (offset: number, index: number): Code =>
    when(load32(get(group), offset), call(index, load32(get(group), offset)));
  return {
    parameters: 5,
    hasResult: true,
    locals: [],
    exported: 'scan',
    body: [
      setGlobal(BEGIN, get(begin)),
      setGlobal(START, get(start)),
      setGlobal(STOP, get(stop)),
      setGlobal(FRESH, get(fresh)),
      setGlobal(SCAN, add(getGlobal(SCAN), i32(1))),
      setGlobal(OUTPUT, load32(get(group), SET.OUTPUT)),
      setGlobal(FOUND, i32(0)),
      run(SET.LONG, LONG),
      run(SET.FOURTH, FOURTH),
      run(SET.SECOND, SECOND),
      run(SET.EVERY, EVERY),
      ...Array.from({ length: MAX_NIBBLE_CLASSES }, (_, k) => run(SET.NIBBLES + 4 * k, NIBBLES)),
      getGlobal(FOUND),
    ].flat(),
  };
}

/** Adds pages of 64 KiB to the memory. */
function grow(): WasmFunction {
  return { parameters: 1, hasResult: true, locals: [], exported: 'grow', body: growMemory(get(0)) };
}

/** The scanner's machine code, compiled once. */
export const SCAN_MODULE = new WebAssembly.Module(
  encodeModule({
    functions: [check(), chain(), grams(4), grams(2), grams(1), nibbles(), longChain(), longGrams(), scan(), grow()],
    globals: GLOBALS,
  }),
);
