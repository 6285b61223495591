import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Inspector } from '../../../../src/detect/signature/match/inspect.js';
import { CapturedTexts } from '../../../../src/detect/signature/state/captures.js';
import { loadRules } from '../../../../src/detect/signature/index.js';
import { compile, problemOf } from './rules.js';

/** What a pattern captures of a text, as `scope name=text`. */
function captured(pcre: string, text: string): string[] {
  const inspector = new Inspector();
  const rule = compile(`alert tcp any any -> any any (pcre:"${pcre}"; sid:1;)`);
  inspector.begin();
  inspector.run(rule.payload, Buffer.from(text));
  return inspector.captured.map(({ capture, text: found }) => `${capture.scope} ${capture.name}=${found}`);
}

test('groups are remembered by their own names, or by those behind the flags', () => {
  assert.deepEqual(captured('/user=(?P<flow_who>\\w+)&(?P<pkt_what>\\w+)/', 'user=bob&x'), ['flow who=bob', 'packet what=x']); // prettier-ignore
  assert.deepEqual(captured('/(\\w+)=(\\w+)/, flow:key, pkt:value', 'user=bob'), ['flow key=user', 'packet value=bob']);
  assert.deepEqual(captured('/(?:a|b)++(\\w)/, flow:next', 'abc'), ['flow next=c']);
  assert.deepEqual(captured('/(?P<other>\\w+)/', 'user'), []);
  assert.match(problemOf('alert tcp any any -> any any (pcre:"/(a)/, flow:x, pkt:y"; sid:1;)').reason, /2 names for 1/);
});

test('what was captured for one rule is not kept for the next', () => {
  const inspector = new Inspector();
  inspector.run(compile('alert tcp any any -> any any (pcre:"/(a)/, flow:x"; sid:1;)').payload, Buffer.from('a'));
  assert.equal(inspector.captured.length, 1);
  inspector.begin();
  assert.equal(inspector.captured.length, 0);
});

test('flowvar and pktvar look for their content in what was captured last, of a bounded number of names', () => {
  const [wanted] = compile('alert tcp any any -> any any (flowvar:who,"|62|ob"; sid:1;)').captureTests;
  const texts = new CapturedTexts();
  assert.equal(texts.matches(wanted!), false);
  texts.set('who', 'a bob!');
  assert.equal(texts.matches(wanted!), true);
  texts.set('who', 'eve');
  assert.equal(texts.matches(wanted!), false);
  for (let i = 0; i < 1000; i++) texts.set(`name ${i}`, 'x'.repeat(10_000));
  assert.equal(texts.size, 32);
});

test('rules that capture come before those that ask for it', () => {
  const text = 'alert tcp any any -> any any (flowvar:x,"a"; sid:1;)\nalert tcp any any -> any any (pcre:"/(a)/, flow:x"; sid:2;)'; // prettier-ignore
  assert.deepEqual(loadRules([{ file: 'a', text }]).rules.map((r) => r.signatureId), [2, 1]); // prettier-ignore
});
