import type { SetElement } from '../element.js';
import type { BatchSender, Capabilities } from '../netlink/transaction.js';
import type { KernelOp } from './backend.js';
import { netlinkError } from './netlink-error.js';
import type { NetlinkReader } from './netlink-reader.js';
import type { NftRunner } from './nft.js';

/** Finds out in a table of its own, which is removed again, what this kernel can do. */
export async function probeCapabilities(
  table: string,
  { nft, sender, reader }: { nft: NftRunner; sender: BatchSender; reader: NetlinkReader },
): Promise<Capabilities> {
  await nft.load(`table inet ${table} {\n set probe { type ipv4_addr; flags timeout; }\n}\n`);
  const where = { table, families: ['inet'] as const };
  const element: SetElement = { set: 'probe', ip: { version: 4, words: [0, 0, 0, 0xc0000201] } };
  const send = (can: Capabilities, kind: KernelOp['kind'], timeoutMs: number): boolean => {
    const { errors, other } = sender.send([{ kind, element, timeoutMs }], [0], { ...where, can });
    return errors.size === 0 && other === 0;
  };
  try {
    const destroy = send({ updateTimeout: false, destroy: true }, 'delete', 0);
    send({ updateTimeout: true, destroy }, 'add', 3_600_000);
    send({ updateTimeout: true, destroy }, 'update', 7_200_000);
    const state = reader.lookupIn(table, 'inet', [element])[0];
    if (!state) throw netlinkError('the kernel did not keep an element', 0);
    return { destroy, updateTimeout: state.timeoutMs === 7_200_000 };
  } finally {
    await nft.load(`delete table inet ${table}\n`);
  }
}
