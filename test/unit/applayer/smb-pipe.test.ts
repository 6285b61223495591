import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { field, play, type Message } from './bench.js';
import * as w from './wire-smb.js';

const { dcerpc } = w;
const OPEN: Message[] = [[0, w.negotiate()], [1, w.negotiated(8192, 8192)], [1, w.connected(true)], [0, w.create('svcctl', 3)], [1, w.created(3)]]; // prettier-ignore
const BOUND: Message[] = [[0, w.write(dcerpc.bind())], [0, w.read(5)], [1, w.readAnswer(5, dcerpc.bound(0))]]; // prettier-ignore
const REFUSED: Message[] = [BOUND[0]!, BOUND[1]!, [1, w.readAnswer(5, dcerpc.bound(2))]];
const REQUEST = dcerpc.request(12, 'asked');
const RESPONSE = dcerpc.response('told');
const BY_CALL: Message[] = [[0, w.transceive(REQUEST, 6)], [1, w.transceived(RESPONSE, 6)]]; // prettier-ignore
const BY_READ: Message[] = [[0, w.write(REQUEST)], [0, w.read(7)], [1, w.readAnswer(7, RESPONSE)]]; // prettier-ignore
const SMB1: Message[] = [[0, w.transact(dcerpc.bind())], [1, w.transacted(dcerpc.bound(0))], [0, w.transact(REQUEST)], [1, w.transacted(RESPONSE)]]; // prettier-ignore

/** Operation, version of the interface and stubs of the calls of a conversation. */
function callsOf(said: readonly Message[], cut?: number): unknown[] {
  const { transactions } = play(said, { ports: [40_000, 445], ...(cut === undefined ? {} : { cut }) });
  return transactions
    .filter((tx) => tx.number('dcerpc.opnum', 0) !== undefined)
    .map((tx) => [
      tx.number('dcerpc.opnum', 0),
      tx.number(`dcerpc.iface=${w.SVCCTL}`, 0),
      field(tx, 'dcerpc.stub_data', 0),
      field(tx, 'dcerpc.stub_data', 1),
    ]);
}

describe('DCE/RPC through named pipes of SMB', () => {
  const whole = [[12, 2, 'asked', 'told']];
  for (const [name, said, calls] of [
    ['by a call of both ways', [...OPEN, ...BOUND, ...BY_CALL], whole],
    ['by writing and reading', [...OPEN, ...BOUND, ...BY_READ], whole],
    ['through SMB1', SMB1, whole],
    ['where the share was not seen, by the bytes', [...OPEN.slice(3), ...BOUND, ...BY_READ], whole],
    ['of an interface that was refused', [...OPEN, ...REFUSED, ...BY_CALL], [[12, undefined, 'asked', 'told']]],
    ['written to a file', [...OPEN.slice(0, 2), [1, w.connected(false)], ...OPEN.slice(3), ...BOUND, ...BY_READ], []],
    ['other bytes', [...OPEN, [0, w.write('no call at all')]], []],
  ] as [string, Message[], unknown[]][]) {
    it(name, () => {
      for (const cut of [undefined, 7]) assert.deepEqual(callsOf(said, cut), calls);
    });
  }
});
