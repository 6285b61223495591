import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TableFiller } from '../../../src/enforce/netlink/fill.js';
import { NFT_MSG, nftType } from '../../../src/enforce/netlink/nftables.js';
import { MessageWriter, readMessages } from '../../../src/util/netlink/message.js';
import type { NetlinkSocket } from '../../../src/util/netlink/socket.js';

const SET_COUNT = 20;
const LENGTH = 20_001;

/** A kernel that says these numbers of elements, one after the other; undefined is a kernel that does not say. */
function kernel(counts: (number | undefined)[]): { socket: NetlinkSocket; sent: string[] } {
  const sent: string[] = [];
  const answers: Buffer[] = [];
  const socket: NetlinkSocket = {
    portId: 1,
    send(data) {
      const types = [...readMessages(data)].map(nftType);
      if (types.includes(NFT_MSG.GETSET)) {
        const w = new MessageWriter();
        w.begin({ type: (10 << 8) | NFT_MSG.NEWSET, flags: 0, seq: 1, family: 1 });
        const count = counts.shift();
        if (count !== undefined) {
          w.words(SET_COUNT, 1);
          w.word(count);
        }
        w.end();
        answers.push(Buffer.from(w.bytes()));
      } else {
        sent.push(types.includes(NFT_MSG.DELSETELEM) ? 'emptied and filled' : 'added');
      }
      return 0;
    },
    receive: () => answers.shift(),
    listen: () => undefined,
    ignoreAuthors: () => undefined,
    close: () => undefined,
  };
  return { socket, sent };
}

function fill(counts: (number | undefined)[], length = LENGTH): string[] {
  const { socket, sent } = kernel(counts);
  const elements = Array.from({ length }, (_, i) => ({
    element: { set: 'feed4_32', ip: { version: 4 as const, words: [0, 0, 0, 0x0b000000 + i] as const } },
    timeoutMs: 60_000,
  }));
  const refused = new TableFiller(socket, () => 1).fill({ table: 't', families: ['inet'] }, ['feed4_32'], elements);
  assert.deepEqual(refused, []);
  return sent;
}

describe('a large set that is filled again', () => {
  const cases: [what: string, counts: (number | undefined)[], sent: string[]][] = [
    ['that holds what it should is only renewed, in parts', [LENGTH, LENGTH], ['added', 'added']],
    ['that lacked something gets it', [LENGTH - 5, LENGTH], ['added', 'added']],
    ['with something else in it is emptied and filled', [LENGTH, LENGTH + 1], ['added', 'added', 'emptied and filled']],
    ['with more in it than it should hold is emptied at once', [LENGTH + 1], ['emptied and filled']],
    ['that is empty is filled in parts', [0, LENGTH], ['added', 'added']],
    ['of a kernel that does not count is emptied and filled', [undefined], ['emptied and filled']],
  ];
  for (const [what, counts, sent] of cases) it(what, () => assert.deepEqual(fill(counts), sent));

  it('unlike a small one, which is not asked for', () => assert.deepEqual(fill([], 100), ['emptied and filled']));
});
