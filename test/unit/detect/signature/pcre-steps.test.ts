import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PatternMachine, type SearchRange } from '../../../../src/detect/signature/match/pattern-machine.js';
import { compileProgram, type PatternProgram } from '../../../../src/detect/signature/match/pattern-program.js';
import { parsePattern } from '../../../../src/detect/signature/match/pattern-tree.js';
import { translatePcre, type PcreFlags } from '../../../../src/detect/signature/parse/pcre-translate.js';
import { fc, fuzzLimits } from '../../../support/fuzz.js';
import { pcrePattern } from './pcre-patterns.js';

const STEPS = 300_000;
const ALL: SearchRange = { base: 0, from: 0, to: Infinity };
const machine = new PatternMachine();
/** Remembers what fails from nearly the beginning. */
const mindful = new PatternMachine(0);

type Groups = (string | undefined)[];

/** Begin, and text of each group, as the machine finds them; undefined when it has given up. */
function bySteps(
  program: PatternProgram,
  text: string,
  range: SearchRange,
  by = machine,
): [number, Groups] | null | undefined {
  const groups = by.search(program, Buffer.from(text, 'latin1'), range, { left: STEPS });
  if (!groups) return groups;
  const texts = Array.from({ length: groups.length / 2 }, (_, g) =>
    groups[g * 2]! < 0 || groups[g * 2 + 1]! < 0 ? undefined : text.slice(groups[g * 2], groups[g * 2 + 1]),
  );
  return [groups[0]!, texts];
}

function byV8(regex: RegExp, text: string, base: number, from: number): [number, Groups] | null {
  regex.lastIndex = from - base;
  const found = regex.exec(text.slice(base));
  return found && [found.index + base, [...found]];
}

const flags = fc.record({
  caseless: fc.boolean(),
  multiline: fc.boolean(),
  dotAll: fc.boolean(),
  extended: fc.constant(false),
  ungreedy: fc.boolean(),
  dollarEndOnly: fc.boolean(),
});
const text = fc
  .array(fc.constantFrom('a', 'b', 'ab', 'A', '1', ' ', '\r\n', '\xe9', '\xc9', '\xff', '\0', 'aa+'), { maxLength: 14 })
  .map((parts) => parts.join(''));

/** A pattern of both engines, or undefined when it is refused or too large. */
function compiled(pattern: string, options: PcreFlags): { regex: RegExp; program: PatternProgram } | undefined {
  let regex: RegExp;
  try {
    const { source, caseless } = translatePcre(pattern, options);
    regex = new RegExp(source, caseless ? 'gi' : 'g');
  } catch {
    return undefined;
  }
  const tree = parsePattern(regex.source);
  try {
    return { regex, program: compileProgram(tree, regex.ignoreCase) };
  } catch {
    return undefined;
  }
}

test('steps find what V8 finds, from wherever the text begins', () => {
  let [alike, found, later] = [0, 0, 0];
  fc.assert(
    fc.property(pcrePattern, flags, text, fc.nat(3), fc.nat(2), (source, options, subject, skip, ahead) => {
      const both = compiled(source, options);
      if (!both) return;
      const base = Math.min(skip, subject.length);
      const from = Math.min(base + ahead, subject.length);
      const mine = bySteps(both.program, subject, { base, from, to: Infinity });
      if (mine === undefined) return;
      const wanted = byV8(both.regex, subject, base, from);
      assert.deepEqual(mine, wanted, both.regex.source);
      assert.deepEqual(bySteps(both.program, subject, { base, from, to: Infinity }, mindful), wanted, both.regex.source);
      alike++;
      if (wanted) found++;
      if (wanted || from >= subject.length) return;
      // What was found nowhere is later found only at the positions that see where the text begins.
      const near = bySteps(both.program, subject, { base: from + 1, from: from + 1, to: from + both.program.context });
      if (near !== undefined) assert.deepEqual(near, byV8(both.regex, subject, from + 1, from + 1), both.regex.source);
      later++;
    }),
    fuzzLimits(5000),
  );
  assert.ok(found > 1000 && later > 200 && alike > found + later, `${alike} alike, ${found} found, ${later} looked for later`);
}); // prettier-ignore

/** Pattern, a text of which V8 would go back for years, what is in it. */
const AGAIN: readonly (readonly [string, string, boolean])[] = [
  ['^(?:a+)+$', `${'a'.repeat(3000)}b`, false],
  ['^(?:a+)+$', 'a'.repeat(3000), true],
  ['(?:a|aa)*c', `${'a'.repeat(3000)}b`, false],
  ['(?=a)(?:a*)*$', `${'a'.repeat(3000)}b`, false],
  ['(?:a*?b??)*c', 'ab'.repeat(1500), false],
  ['(?:a|b|ab)*(?!a)c', `${'ab'.repeat(1500)}c`, true],
];

for (const [source, subject, isThere] of AGAIN)
  test(`${source} tries nothing twice at one position of ${subject.length} bytes`, () => {
    const tree = parsePattern(source);
    const steps = { left: 1_000_000 };
    const found = machine.search(compileProgram(tree, false), Buffer.from(subject), ALL, steps);
    assert.equal(found && found.length > 0, isThere ? true : null);
    assert.ok(steps.left > 900_000, `${1_000_000 - steps.left} steps`);
  });

test('what would take more steps than there are is neither found nor absent, and the next search is as ever', () => {
  const reference = compileProgram(parsePattern('(a+)+\\1c'), false);
  assert.equal(bySteps(reference, 'a'.repeat(100), ALL), undefined);
  assert.deepEqual(bySteps(reference, 'aac', ALL), [0, ['aac', 'a']]);
});

test('a pattern whose repeats are too many to be written out is refused', () => {
  assert.throws(() => compileProgram(parsePattern('(?:a{0,200}){0,200}'), false), /too large/);
});
