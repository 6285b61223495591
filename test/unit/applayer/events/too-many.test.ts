import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { play, type Message } from '../bench.js';
import { be16, be32, join } from '../wire.js';
import * as smb from '../wire-smb.js';

const MAX = 8;
/** A subscription that is not answered. */
const subscribe = (id: number): Uint8Array => join(0x82, 6, be16(id), be16(1), 'a', 0);
/** A call of NFS that is not answered. */
const call = (id: number): Uint8Array =>
  join(0x80, 0, 0, 40, be32(id), be32(0), be32(2), be32(100_003), be32(3), be32(1), Array<number>(16).fill(0));
const CASES: [string, number, Message[], (n: number) => Uint8Array][] = [
  ['MQTT', 1883, [[0, join(0x10, 13, be16(4), 'MQTT', 4, 2, be16(60), be16(1), 'c')], [1, join(0x20, 2, 0, 0)]], subscribe],
  ['NFS', 2049, [], call],
  ['SMB', 445, [[0, smb.negotiate()], [1, smb.negotiated(8192, 8192)]], (n) => smb.create('a', n)],
]; // prettier-ignore

describe('more transactions than are kept are told by the newest', () => {
  for (const [name, port, begin, make] of CASES) {
    it(name, () => {
      const room = MAX - play(begin, { ports: [40_000, port] }).transactions.length;
      const events = (count: number): string[] => {
        const said = Array.from({ length: count }, (_, n): Message => [0, make(n + 10)]);
        const flow = play([...begin, ...said], { ports: [40_000, port], options: { maxTransactions: MAX } });
        return flow.transactions.flatMap((tx) => tx.events);
      };
      assert.deepEqual([events(room), events(room + 1)], [[], ['too_many_transactions']]);
    });
  }
});
