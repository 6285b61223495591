import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { ResponderCommand } from '../../../src/contract/ipc.js';
import type { SiemEvent } from '../../../src/domain/siem-event.js';
import { createDecisionBook, type DecisionBook } from '../../../src/daemons/server/decisions.js';
import type { DecisionWrite } from '../../../src/store/index.js';
import { decision } from '../enforce/helpers.js';

describe('decisions in force', () => {
  let book: DecisionBook;
  let sent: ResponderCommand[];
  let written: DecisionWrite[];
  let siem: SiemEvent[];
  let ended: string[];
  let monoMs: number;
  beforeEach(() => {
    [sent, written, siem, ended] = [[], [], [], []];
    monoMs = 0;
    book = createDecisionBook({
      name: 'fw1',
      toResponders: (command) => sent.push(command),
      queue: (write) => written.push(write),
      toSiem: (event) => siem.push(event),
      changed: () => undefined,
      ended: (id) => ended.push(id),
      answered: () => undefined,
      monoMs: () => monoMs,
    });
    book.restore([
      decision('203.0.113.7', { id: 'kept', enforcement: 'applied' }),
      decision('203.0.113.7', { id: 'other', enforcement: 'applied' }),
    ]);
  });

  it('that another makes superfluous is lifted in the list, the store, the engine and the kernel, and the SIEM is not told that the address is free', () => {
    book.replace('other', 'kept');
    assert.deepEqual(
      book.active().map((d) => d.id),
      ['kept'],
    );
    assert.deepEqual(sent, [{ type: 'release', decisionId: 'other', reason: 'decision kept does the same' }]);
    assert.equal(written[0]?.decision.enforcement, 'revoked');
    assert.equal(written[0].step?.reason, 'decision kept does the same');
    assert.deepEqual(ended, ['other']);
    assert.deepEqual(siem, []);
  });

  it('control: a release tells the SIEM', () => {
    book.release('other', 'ann', 'mistake', false);
    assert.equal(siem[0]?.kind === 'decision' && siem[0].op, 'unblock');
  });

  const report = (more: object) =>
    book.report([
      { decisionId: 'kept', enforcement: 'rejected', simulated: false, receivedUs: 1, kernelUs: 0, error: 'too long', ...more },
    ]); // prettier-ignore

  it('stay as they were when the responder refuses their renewal, and people are told', () => {
    book.extend('kept', 5_184_000, 'ann');
    report({ kept: { durationSecs: 60, expiresMs: 1_060_000 } });
    const kept = book.get('kept');
    assert.deepEqual([kept?.enforcement, kept?.durationSecs, kept?.expiresMs], ['applied', 60, 1_060_000]);
    assert.deepEqual([written.at(-1)?.step?.op, written.at(-1)?.step?.reason], ['rejected', 'too long']);
    assert.deepEqual(siem.map((e) => e.kind === 'decision' && e.op), ['extend', 'refused']); // prettier-ignore
    assert.deepEqual(ended, [], 'the policies still know it');
  });

  it('control: one that is not in force in the kernel either is gone when it is refused', () => {
    report({});
    assert.equal(book.get('kept'), undefined);
    assert.deepEqual(ended, ['kept']);
  });

  it('end when their time has passed, however the clock is set, and then in the kernel too', () => {
    const tick = (passedMs: number, stepMs: number): void => {
      monoMs = passedMs;
      book.tick(1_030_000 + passedMs + stepMs);
    };
    tick(0, 0);
    for (const [i, stepMs] of [36_000_000, 0, -36_000_000, 0].entries()) {
      tick(1000 * (i + 1), stepMs);
      assert.equal(book.get('kept')?.expiresMs, 1_060_000 + stepMs, `clock set by ${stepMs} ms`);
    }
    assert.equal(sent.length, 0);
    tick(40_000, 0);
    assert.deepEqual(book.active(), []);
    assert.deepEqual(sent.map((c) => c.type === 'release' && c.decisionId).sort(), ['kept', 'other']); // prettier-ignore
  });
});
