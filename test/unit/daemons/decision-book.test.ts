import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { ResponderCommand } from '../../../src/contract/ipc.js';
import type { SiemEvent } from '../../../src/domain/siem-event.js';
import { createDecisionBook, type DecisionBook } from '../../../src/daemons/server/decisions.js';
import type { DecisionWrite } from '../../../src/store/index.js';
import { decision } from '../enforce/helpers.js';

describe('a decision that another makes superfluous', () => {
  let book: DecisionBook;
  let sent: ResponderCommand[];
  let written: DecisionWrite[];
  let siem: SiemEvent[];
  let ended: string[];
  beforeEach(() => {
    [sent, written, siem, ended] = [[], [], [], []];
    book = createDecisionBook({
      name: 'fw1',
      toResponders: (command) => sent.push(command),
      queue: (write) => written.push(write),
      toSiem: (event) => siem.push(event),
      changed: () => undefined,
      ended: (id) => ended.push(id),
      answered: () => undefined,
    });
    book.restore([
      decision('203.0.113.7', { id: 'kept', enforcement: 'applied' }),
      decision('203.0.113.7', { id: 'other', enforcement: 'applied' }),
    ]);
  });

  it('is lifted in the list, the store, the engine and the kernel, and the SIEM is not told that the address is free', () => {
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
});
