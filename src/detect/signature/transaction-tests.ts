import { PROGRESS_DONE, type AppTransaction } from '../../domain/app-layer.js';
import type { Direction } from '../../domain/flow.js';
import { amongInRange } from './parse/among.js';
import { inRange } from './parse/number.js';
import type { Rule, TransactionTest } from './rule.js';
import type { Scene } from './scene.js';

/** What may change a rule's outcome while its transaction makes no progress. */
export const WAITS_FOR_BODY = 1;
export const WAITS_FOR_PACKET = 2;
/** An anomaly of the other direction counts in this one, too, as in Suricata, which looks at a request when it is acknowledged. */
export const WAITS_FOR_OTHER = 4;

export type Verdict = 'yes' | 'no' | 'wait';

/** What the outcome of a rule may wait for, as bits. */
export function waitsFor(rule: Rule): number {
  const body = rule.buffers.some((b) => b.buffer.grows || b.buffer.multi) ? WAITS_FOR_BODY : 0;
  const isPlain =
    rule.payload.length === 0 &&
    rule.packetTests.length === 0 &&
    rule.streamEvents.length === 0 &&
    rule.decodeEvents.length === 0 &&
    rule.streamSize.length === 0 &&
    rule.flowTests.length === 0 &&
    rule.appProtocol.length === 0 &&
    rule.transactionTests.length === 0 &&
    rule.bits.length === 0 &&
    rule.flowInts.length === 0;
  const other = rule.transactionTests.some((t) => t.kind === 'event') ? WAITS_FOR_OTHER : 0;
  return body | other | (isPlain ? 0 : WAITS_FOR_PACKET);
}

/** Nothing more comes in either direction. */
export function isOver({ progress, side }: AppTransaction, scene: Scene): boolean {
  const isDone = (direction: Direction): boolean => side === 1 - direction || progress[direction] === PROGRESS_DONE;
  return scene.ended || (isDone(0) && isDone(1));
}

/** What a test of numbers or anomalies says by now. */
export function testVerdict(test: TransactionTest, transaction: AppTransaction, scene: Scene, final: boolean): Verdict {
  const direction = scene.side;
  if (test.direction !== undefined && test.direction !== direction) return 'wait';
  if (test.kind === 'event') {
    return transaction.events.includes(test.name) ? 'yes' : isOver(transaction, scene) ? 'no' : 'wait';
  }
  if (test.among !== undefined) {
    const values = transaction.numbersOf?.(test.name, direction);
    if (values === undefined) return final ? 'no' : 'wait';
    return amongInRange(test.among, [test.range!, ...(test.orRanges ?? [])], values) ? 'yes' : 'no';
  }
  const known = transaction.number(test.name, direction);
  if (known === undefined) return final ? 'no' : 'wait';
  const value = test.kind === 'age' ? scene.nowUs / 1_000_000 - known : known;
  if (inRange(test.range!, value)) return 'yes';
  return test.orRanges?.some((range) => inRange(range, value)) === true ? 'yes' : 'no';
}
