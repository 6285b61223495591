import type { UsualPeer } from '../../contract/baseline.js';
import { formatIpWords, parseIp } from '../../util/ip.js';
import { AddressTable, hashWords } from './address-table.js';
import { hashAt, pairOf, serviceOf, tagOf, type Contacts, type Ends } from './contacts.js';

const DAY_US = 86_400e6;
/** Peers told of one host: those of most days. */
const MAX_TOLD = 256;

/** Words of a service's record: its address, its host's number plus 1, the service, the host's life, and its days. */
const HOST = 4;
const SERVICE = 5;
const LIFE = 6;
/** The latest day, how many there were, and whether the address is of IPv6. */
const DAYS = 7;
const RECORD = 8;
const DAY_MASK = 0xffff;
const COUNT_SHIFT = 16;
const COUNT_MASK = 0xff;
const V6 = 1 << 24;
/** Before the first contact is noted. */
const NEVER = 0;

/** Which services each inside host contacts day by day. A bounded table; the longest unseen goes first. */
export class UsualPeers {
  private readonly table: AddressTable;
  private readonly records: Uint32Array;
  private readonly suspectDay: Uint16Array;
  /** Entries of an older life of their host do not count. */
  private readonly life: Uint32Array;

  constructor(peers: number, hosts: number) {
    this.table = new AddressTable(peers);
    this.records = new Uint32Array(this.table.capacity * RECORD);
    this.suspectDay = new Uint16Array(hosts);
    this.life = new Uint32Array(hosts);
  }

  get evictions(): number {
    return this.table.evictions;
  }

  /**
   * The host made a contact. A day counts when the next contact is on a later one, and only if the host was not found doing
   * something hostile on it.
   * @returns true when it is the first contact of the day.
   */
  note(host: number, contacts: Contacts, i: number, nowUs: number): boolean {
    const { table } = this;
    const service = serviceOf(contacts, i);
    const entry = table.acquireTagged(
      contacts.tag[i]!,
      contacts.src[i]!,
      contacts.dst[i]!,
      contacts.pair[i]!,
      service,
      nowUs,
    );
    const day = dayOf(nowUs);
    if (table.inserted || !this.belongs(entry, host)) this.begin(entry, host, contacts, i);
    const at = entry * RECORD + DAYS;
    const before = this.records[at]!;
    const lastDay = before & DAY_MASK;
    if (lastDay === day) return false;
    const count = (before >>> COUNT_SHIFT) & COUNT_MASK;
    const counts = lastDay !== NEVER && this.suspectDay[host] !== lastDay && count < COUNT_MASK;
    this.records[at] = (before & V6) | ((counts ? count + 1 : count) << COUNT_SHIFT) | day;
    return true;
  }

  /** Fetches what `note` will need. @returns what was read, to be used somehow. */
  readAhead(tag: number): number {
    return this.table.readAhead(tag);
  }

  /** What the host contacts today is not to become usual. */
  suspect(host: number, nowUs: number): void {
    this.suspectDay[host] = dayOf(nowUs);
  }

  /** On how many earlier days the host contacted this service. */
  daysOf(host: number, flows: Ends, slot: number): number {
    const i = this.find(flows, slot);
    return i >= 0 && this.belongs(i, host) ? (this.records[i * RECORD + DAYS]! >>> COUNT_SHIFT) & COUNT_MASK : 0;
  }

  /** Forgets the host's peers. */
  clear(host: number): void {
    this.life[host]! += 1;
    this.suspectDay[host] = 0;
  }

  /** The peers of some hosts, by host. */
  read(hosts: ReadonlySet<number>): Map<number, UsualPeer[]> {
    const out = new Map<number, UsualPeer[]>();
    const r = this.records;
    for (let at = 0; at < r.length; at += RECORD) {
      const host = r[at + HOST]! - 1;
      if (!hosts.has(host) || r[at + LIFE] !== this.life[host]) continue;
      const list = out.get(host) ?? [];
      out.set(host, list);
      const days = r[at + DAYS]!;
      list.push({
        address: formatIpWords((days & V6) === 0 ? 4 : 6, r[at]!, r[at + 1]!, r[at + 2]!, r[at + 3]!),
        port: r[at + SERVICE]! & 0xffff,
        proto: r[at + SERVICE]! >>> 16,
        days: (days >>> COUNT_SHIFT) & COUNT_MASK,
        lastMs: ((days & DAY_MASK) * DAY_US) / 1000,
      });
    }
    for (const list of out.values()) list.sort((a, b) => b.days - a.days).splice(MAX_TOLD);
    return out;
  }

  /** @param hostHash hash of the host's address, as `hashWords` makes it. */
  write(host: number, hostHash: number, peers: readonly UsualPeer[]): void {
    for (const { address, port, proto, days, lastMs } of peers) {
      const ip = parseIp(address);
      if (!ip) continue;
      const service = ((proto << 16) | port) >>> 0;
      const dst = hashWords(...ip.words);
      const pair = pairOf(hostHash, dst);
      const i = this.table.acquireTagged(tagOf(pair, service), hostHash, dst, pair, service, lastMs * 1000);
      const at = i * RECORD;
      this.records.set(ip.words, at);
      this.records[at + HOST] = host + 1;
      this.records[at + SERVICE] = service;
      this.records[at + LIFE] = this.life[host]!;
      const count = Math.min(COUNT_MASK, days) << COUNT_SHIFT;
      this.records[at + DAYS] = (ip.version === 6 ? V6 : 0) | count | dayOf(lastMs * 1000);
    }
  }

  private begin(i: number, host: number, flows: Ends, slot: number): void {
    const { records } = this;
    const at = i * RECORD;
    for (let w = 0; w < 4; w++) records[at + w] = flows.dstAddr[4 * slot + w]!;
    records[at + HOST] = host + 1;
    records[at + SERVICE] = serviceOf(flows, slot);
    records[at + LIFE] = this.life[host]!;
    records[at + DAYS] = flows.ipVersion[slot] === 6 ? V6 : 0;
  }

  private belongs(i: number, host: number): boolean {
    const at = i * RECORD;
    return this.records[at + HOST] === host + 1 && this.records[at + LIFE] === this.life[host];
  }

  private find(flows: Ends, slot: number): number {
    const src = hashAt(flows.srcAddr, slot);
    const dst = hashAt(flows.dstAddr, slot);
    const pair = pairOf(src, dst);
    const service = serviceOf(flows, slot);
    return this.table.findTagged(tagOf(pair, service), src, dst, pair, service);
  }
}

function dayOf(us: number): number {
  return Math.floor(us / DAY_US);
}
