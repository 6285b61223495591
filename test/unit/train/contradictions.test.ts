import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asideReport } from '../../../src/train/lifecycle/aside-report.js';
import type { LiveVector } from '../../../src/train/lifecycle/challenge-data.js';
import { siftLabels } from '../../../src/train/lifecycle/contradictions.js';

let at = 0;
function said(analyst: string, source: string, label: string, about: Partial<LiveVector> = {}): LiveVector {
  at++;
  return {
    values: [at], label, source, analyst, atMs: at, alertId: `alert-${at}`, alertLabel: 'port_scan', witnesses: [], isProtected: false,
    ...about,
  }; // prettier-ignore
}
const accused = { witnesses: ['behaviour', 'signature'] };
const reasons = (labels: readonly LiveVector[]) => {
  const { aside } = siftLabels(labels);
  return labels.map((v) => aside.find((a) => a.vector === v)?.reason ?? 'kept');
};

test('labels that nothing speaks against are kept, also when one person changes their mind', () => {
  const labels = [
    said('ada', '192.0.2.1', 'port_scan', accused),
    said('ada', '192.0.2.2', 'benign'),
    said('ada', '192.0.2.3', 'benign'),
    said('ada', '192.0.2.3', 'port_scan'),
    said('bob', '192.0.2.2', 'brute_force', { alertLabel: 'brute_force' }),
  ];
  assert.deepEqual(reasons(labels), ['kept', 'kept', 'kept', 'kept', 'kept']);
});

test('benign against a signature or a behaviour waits for a second person, or for the network to be protected', () => {
  const alone = said('ada', '192.0.2.1', 'benign', accused);
  assert.deepEqual(reasons([alone]), ['evidence']);
  assert.deepEqual(reasons([alone, said('ada', '192.0.2.1', 'benign', accused)]), ['evidence', 'evidence']);
  assert.deepEqual(reasons([alone, said('bob', '192.0.2.1', 'benign', accused)]), ['kept', 'kept']);
  assert.deepEqual(reasons([{ ...alone, isProtected: true }]), ['kept']);
  assert.deepEqual(reasons([said('ada', '192.0.2.9', 'port_scan', { isProtected: true })]), ['protected']);
});

test('one voice against two is set aside, one against one puts both in question', () => {
  const [ada, bob, eve] = ['ada', 'bob', 'eve'].map((who) =>
    said(who, '192.0.2.1', who === 'eve' ? 'benign' : 'port_scan'),
  );
  assert.deepEqual(reasons([ada!, bob!, eve!]), ['kept', 'kept', 'others']);
  assert.deepEqual(reasons([ada!, eve!]), ['disputed', 'disputed']);
  const many = Array.from({ length: 9 }, () => said('eve', '192.0.2.1', 'benign'));
  assert.deepEqual(reasons([ada!, bob!, ...many]).slice(2), many.map(() => 'others'), 'people count, not labels'); // prettier-ignore
  const scan = said('ada', '192.0.2.5', 'port_scan', accused);
  assert.deepEqual(reasons([scan, said('eve', '192.0.2.5', 'benign', accused)]), ['kept', 'evidence']);
});

test('who is contradicted nearly always is not believed at all, and is named; honest people go on being heard', () => {
  const attacks = Array.from({ length: 30 }, (_, i) => said('eve', `198.51.100.${i}`, 'benign', accused));
  const quiet = Array.from({ length: 40 }, (_, i) => said('eve', `203.0.113.${i}`, 'port_scan'));
  const ada = Array.from({ length: 20 }, (_, i) => said('ada', `203.0.113.${i}`, 'benign'));
  const all = [...attacks, ...quiet, ...ada];
  const sifted = siftLabels(all);
  assert.deepEqual(sifted.distrusted, ['eve']);
  assert.deepEqual(sifted.kept, ada, 'her word against theirs is none');
  const { labels, byLabeller, examples } = asideReport(sifted);
  assert.equal(labels, 70);
  assert.deepEqual(byLabeller, [
    { labeller: 'eve', labels: 70, reasons: { disputed: 20, evidence: 30, labeller: 20 }, distrusted: true },
  ]);
  assert.ok(examples.length <= 15 && examples.every((e) => e.labeller === 'eve' && e.alertId !== ''));
});

test('a person who confirms attacks too is contradicted now and then and stays credible', () => {
  const monitors = Array.from({ length: 30 }, (_, i) => said('ada', `198.51.100.${i}`, 'benign', accused));
  const scanners = Array.from({ length: 30 }, (_, i) => said('ada', `203.0.113.${i}`, 'port_scan', accused));
  const quiet = Array.from({ length: 10 }, (_, i) => said('ada', `192.0.2.${i}`, 'benign'));
  const { distrusted, kept } = siftLabels([...monitors, ...scanners, ...quiet]);
  assert.deepEqual(distrusted, []);
  assert.equal(kept.length, 40);
});
