import { nowUs } from '../../util/clock.js';
import { parseElementKey, type SetElement } from '../element.js';
import type { Layout } from '../layout.js';
import { readMessages, type NetlinkMessage } from '../../util/netlink/message.js';
import {
  FAMILY,
  messageFamily,
  messageTable,
  NFNLGRP_NFTABLES,
  NFT_MSG,
  nftType,
  readElements,
} from '../netlink/nftables.js';
import { NETLINK_NETFILTER, openNetlinkSocket, type NetlinkSocket } from '../../util/netlink/socket.js';
import { BatchSender, type Capabilities } from '../netlink/transaction.js';
import { TableFiller } from '../netlink/fill.js';
import { layoutMark, renderExtension, renderRuleset, renderStructure } from '../ruleset.js';
import type { ApplyResult, EnforceBackend, ForeignChange, KernelElement, KernelOp } from './backend.js';
import { netlinkError, reasonOf } from './netlink-error.js';
import { probeCapabilities } from './netlink-probe.js';
import { NetlinkReader } from './netlink-reader.js';
import type { NftRunner } from './nft.js';

const ENOENT = 2;
const MAX_ATTEMPTS = 6;
/** Transactions of so many operations are not notified to ourselves. */
const QUIET_FROM = 100;

/** Elements over raw nf_tables netlink (0.03 ms an element); the ruleset through `nft`. */
export function createNetlinkBackend(nft: NftRunner, options: { netns?: string } = {}): EnforceBackend {
  return new NetlinkBackend(nft, options);
}

class NetlinkBackend implements EnforceBackend {
  readonly name = 'netlink';
  private readonly nft: NftRunner;
  private readonly options: { netns?: string };
  private socket!: NetlinkSocket;
  private events!: NetlinkSocket;
  private sender!: BatchSender;
  private filler!: TableFiller;
  private reader!: NetlinkReader;
  private can: Capabilities = { updateTimeout: false, destroy: false };
  private structure = '';
  private isClosed = false;

  constructor(nft: NftRunner, options: { netns?: string }) {
    this.nft = nft;
    this.options = options;
  }

  async open(layout: Layout): Promise<void> {
    this.socket = openNetlinkSocket(NETLINK_NETFILTER, this.options);
    this.sender = new BatchSender(this.socket);
    layoutMark(layout);
    this.reader = new NetlinkReader(this.socket, () => this.sender.nextSeq());
    const { nft, sender, reader } = this;
    this.can = await probeCapabilities(`${layout.table}_probe_${process.pid}`, { nft, sender, reader });
    this.filler = new TableFiller(this.socket, () => this.sender.nextSeq());
    this.events = openNetlinkSocket(NETLINK_NETFILTER, { ...this.options, groups: [NFNLGRP_NFTABLES] });
    this.ignoreOwn();
    this.nft.onPids = () => this.ignoreOwn();
  }

  /**
   * Rules through nft, elements over netlink. A table that was made by the same rules keeps blocking all the while. One
   * made by others (another version, other options) is replaced by nft together with its elements: slower, but there is
   * no moment without blocks either.
   */
  async replace(layout: Layout, elements: Parameters<EnforceBackend['replace']>[1]): Promise<void> {
    const present = this.reader.presentChains(layout);
    const isOther = [...present.values()].some((chains) => !chains.includes(layoutMark(layout)));
    if (isOther || !(await this.loadStructure(layout, present))) {
      await this.nft.load(renderRuleset(layout, elements));
    } else {
      const all = [...elements];
      const where = { table: layout.table, families: layout.families };
      this.events.listen(false);
      const refused = this.filler.fill(where, layout.sets.keys(), all);
      this.events.listen(true);
      // Element by element the kernel says which ones it does not take.
      for (const { set } of refused) {
        const ops = all.filter((e) => e.element.set === set).map((e): KernelOp => ({ kind: 'add', ...e }));
        if (ops.length > 0) await this.apply(layout, ops);
      }
    }
    this.structure = this.reader.readStructure(layout);
  }

  /** @returns false when the kernel does not take it beside what is there. */
  private async loadStructure(layout: Layout, present: ReadonlyMap<string, readonly string[]>): Promise<boolean> {
    try {
      await this.nft.load(renderStructure(layout, present));
      return true;
    } catch (error) {
      if (present.size === 0) throw error;
      return false;
    }
  }

  async extend(layout: Layout, spec: Parameters<EnforceBackend['extend']>[1]): Promise<void> {
    await this.nft.load(renderExtension(layout, spec));
    this.structure = this.reader.readStructure(layout);
  }

  apply(layout: Layout, ops: readonly KernelOp[]): Promise<ApplyResult> {
    const result: ApplyResult = { failed: new Map(), kernelUs: 0, tableGone: false };
    const where = { table: layout.table, families: layout.families, can: this.can };
    let indexes = ops.map((_, i) => i);
    for (let attempt = 0; indexes.length > 0; attempt++) {
      if (attempt === MAX_ATTEMPTS) throw netlinkError('the kernel refuses the transaction', 0);
      const { errors, other } = this.sendQuietly(ops, indexes, where);
      if (errors.size === 0 && other === 0) break;
      if (errors.size === 0) throw netlinkError('transaction', other);
      const drop = new Set<number>();
      for (const [group, errno] of errors) {
        if (group.length > 1) {
          const part = this.applySingly(layout, ops, group);
          if (part.tableGone) return Promise.resolve({ ...result, tableGone: true });
          for (const [index, reason] of part.failed) result.failed.set(index, reason);
          for (const index of group) drop.add(index);
        } else if (errno === ENOENT && (ops[group[0]!]!.kind !== 'delete' || this.can.destroy)) {
          return Promise.resolve({ ...result, tableGone: true });
        } else {
          if (errno !== ENOENT) result.failed.set(group[0]!, reasonOf(errno));
          drop.add(group[0]!);
        }
      }
      indexes = indexes.filter((i) => !drop.has(i));
    }
    result.kernelUs = nowUs();
    return Promise.resolve(result);
  }

  /**
   * A notification of each of our own elements would cost the kernel more than the element. What others change at this very
   * moment is found by sampling.
   */
  private sendQuietly(...what: Parameters<BatchSender['send']>): ReturnType<BatchSender['send']> {
    if (what[1].length < QUIET_FROM) return this.sender.send(...what);
    this.events.listen(false);
    try {
      return this.sender.send(...what);
    } finally {
      this.events.listen(true);
    }
  }

  lookup(layout: Layout, elements: readonly SetElement[]): Promise<(KernelElement | undefined)[]> {
    return Promise.resolve(this.reader.lookup(layout, elements));
  }

  counters(layout: Layout): Promise<Record<string, { packets: number; bytes: number }>> {
    return Promise.resolve(this.reader.counters(layout));
  }

  /** Present means: every chain has the number of rules that it had when we loaded it. */
  isPresent(layout: Layout): Promise<boolean> {
    return Promise.resolve(this.structure !== '' && this.reader.readStructure(layout) === this.structure);
  }

  foreignChanges(layout: Layout): ForeignChange[] {
    const changes: ForeignChange[] = [];
    for (;;) {
      const datagram = this.events.receive();
      if (datagram === undefined) return changes;
      if (typeof datagram === 'number') {
        changes.push({ kind: 'overrun', text: 'notifications were lost' });
        continue;
      }
      for (const message of readMessages(datagram)) {
        const change = this.readChange(layout, message);
        if (change) changes.push(change);
      }
    }
  }

  async remove(layout: Layout): Promise<void> {
    await this.nft.load(
      layout.families.map((f) => `add table ${f} ${layout.table}\ndelete table ${f} ${layout.table}\n`).join(''),
    );
    this.structure = '';
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.socket.close();
    this.events.close();
    this.nft.close();
    await Promise.resolve();
  }

  /** Our own changes would fill the notification socket when a large list is loaded. */
  private ignoreOwn(): void {
    if (!this.isClosed) this.events.ignoreAuthors([this.socket.portId, ...this.nft.ownPids]);
  }

  private applySingly(layout: Layout, ops: readonly KernelOp[], group: readonly number[]): ApplyResult {
    const result: ApplyResult = { failed: new Map(), kernelUs: 0, tableGone: false };
    const where = { table: layout.table, families: layout.families, can: this.can };
    for (const index of group) {
      const { errors, other } = this.sender.send(ops, [index], where);
      if (other !== 0) throw netlinkError('transaction', other);
      const errno = [...errors.values()][0] ?? 0;
      if (errno === 0) continue;
      if (errno !== ENOENT) result.failed.set(index, reasonOf(errno));
      else if (ops[index]!.kind !== 'delete' || this.can.destroy) return { ...result, tableGone: true };
    }
    return result;
  }

  private readChange(layout: Layout, message: NetlinkMessage): ForeignChange | undefined {
    const type = nftType(message);
    if (type < 0 || type === NFT_MSG.NEWGEN) return undefined;
    if (message.portId === this.socket.portId || this.nft.ownPids.has(message.portId)) return undefined;
    const family = messageFamily(message);
    if (!layout.families.some((f) => FAMILY[f] === family) || messageTable(message) !== layout.table) return undefined;
    const by = `by port ${message.portId}`;
    if (type === NFT_MSG.NEWSETELEM || type === NFT_MSG.DELSETELEM) {
      const { set, elements } = readElements(message);
      const verb = type === NFT_MSG.NEWSETELEM ? 'added to' : 'deleted from';
      const version = layout.sets.get(set)?.version ?? 4;
      const parsed = elements.flatMap((e) => parseElementKey(set, version, e.key) ?? []);
      return { kind: 'element', elements: parsed, text: `${elements.length} elements ${verb} ${set} ${by}` };
    }
    const what = Object.entries(NFT_MSG).find(([, value]) => value === type)?.[0] ?? `message ${type}`;
    return { kind: 'structure', text: `${what} ${by}` };
  }
}
