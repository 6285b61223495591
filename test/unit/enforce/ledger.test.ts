import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fc } from '../../support/fuzz.js';
import type { SetElement } from '../../../src/enforce/element.js';
import { ExpiryQueue } from '../../../src/enforce/expiry.js';
import { Ledger, type ElementOp } from '../../../src/enforce/ledger.js';
import { parseCidr } from '../../../src/util/ip.js';

const at = (address: string): SetElement => ({ set: 'block4_32', ip: parseCidr(address)! });
const told = (ops: ElementOp[]): string[] => ops.map((o) => `${o.kind} ${o.id} ${o.deadlineMs}`);

describe('the ledger', () => {
  it('adds, renews and deletes one element', () => {
    const ledger = new Ledger();
    assert.deepEqual(told(ledger.hold('a', [at('192.0.2.1')], 1000)), ['add block4_32 192.0.2.1 1000']);
    assert.deepEqual(told(ledger.hold('a', [at('192.0.2.1')], 9000)), ['update block4_32 192.0.2.1 9000']);
    assert.deepEqual(told(ledger.hold('a', [at('192.0.2.1')], 500)), ['update block4_32 192.0.2.1 500']);
    assert.deepEqual(told(ledger.hold('a', [at('192.0.2.1')], 510)), [], 'nothing for a few milliseconds');
    assert.deepEqual(told(ledger.drop('a')), ['delete block4_32 192.0.2.1 500']);
    assert.equal(ledger.size, 0);
  });

  it('keeps a shared element until its last holder ends, with the longest time', () => {
    const ledger = new Ledger();
    ledger.hold('a', [at('192.0.2.1')], 1000);
    assert.deepEqual(told(ledger.hold('b', [at('192.0.2.1')], 5000)), ['update block4_32 192.0.2.1 5000']);
    assert.deepEqual(told(ledger.hold('c', [at('192.0.2.1')], Infinity)), ['update block4_32 192.0.2.1 Infinity']);
    assert.deepEqual(told(ledger.drop('c')), ['update block4_32 192.0.2.1 5000']);
    assert.deepEqual(told(ledger.drop('b')), ['update block4_32 192.0.2.1 1000']);
    assert.deepEqual(told(ledger.drop('a')), ['delete block4_32 192.0.2.1 1000']);
  });

  it('lets go of elements that a changed decision does not need any more', () => {
    const ledger = new Ledger();
    ledger.hold('a', [at('192.0.2.1'), at('192.0.2.2')], 1000);
    assert.deepEqual(told(ledger.hold('a', [at('192.0.2.2'), at('192.0.2.3')], 1000)), [
      'delete block4_32 192.0.2.1 1000',
      'add block4_32 192.0.2.3 1000',
    ]);
  });

  it('always equals a kernel that carries its operations out, whatever happens', () => {
    const step = fc.record({
      holder: fc.nat(5).map(String),
      addresses: fc.uniqueArray(fc.nat(6), { maxLength: 3 }),
      deadlineMs: fc.integer({ min: 1, max: 50 }).map((n) => n * 1000),
      drop: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const ledger = new Ledger();
        const kernel = new Map<string, number>();
        const model = new Map<string, { addresses: number[]; deadlineMs: number }>();
        for (const { holder, addresses, deadlineMs, drop } of steps) {
          const ops = drop
            ? ledger.drop(holder)
            : ledger.hold(
                holder,
                addresses.map((n) => at(`192.0.2.${n}`)),
                deadlineMs,
              );
          if (drop) model.delete(holder);
          else model.set(holder, { addresses, deadlineMs });
          for (const op of ops) {
            assert.equal(kernel.has(op.id), op.kind !== 'add', `${op.kind} ${op.id}`);
            if (op.kind === 'delete') kernel.delete(op.id);
            else kernel.set(op.id, op.deadlineMs);
          }
        }
        const want = new Map<string, number>();
        for (const { addresses, deadlineMs } of model.values()) {
          for (const n of addresses) {
            const id = `block4_32 192.0.2.${n}`;
            want.set(id, Math.max(want.get(id) ?? 0, deadlineMs));
          }
        }
        assert.deepEqual([...kernel].sort(), [...want].sort());
      }),
    );
  });
});

describe('the expiry queue', () => {
  it('gives back exactly what is due, in the order of deadlines', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1000)), fc.nat(1000), (deadlines, nowMs) => {
        const queue = new ExpiryQueue();
        deadlines.forEach((d, i) => queue.push(String(i), d));
        const due = queue.takeDue(nowMs).map((id) => deadlines[Number(id)]!);
        assert.deepEqual(
          due,
          deadlines.filter((d) => d <= nowMs).sort((a, b) => a - b),
        );
        assert.equal(queue.size, deadlines.length - due.length);
      }),
    );
  });

  it('never holds what has no end', () => {
    const queue = new ExpiryQueue();
    queue.push('a', Infinity);
    assert.equal(queue.size, 0);
  });
});
