import type { UsualPeer } from '../../contract/baseline.js';
import { formatIpWords, parseIp } from '../../util/ip.js';
import { hashWords, leastWorthy, TICKS_A_US, WAYS } from './address-table.js';
import { alignedInts } from './cache-lines.js';
import { hashAt, pairOf, serviceOf, tagOf, type Contacts, type Ends } from './contacts.js';

const DAY_US = 86_400e6;
/** Peers told of one host: those of most days. */
const MAX_TOLD = 256;

/** A set: the tags of its records, how long each is to be kept, and the records themselves. */
const WORTHS = WAYS;
const RECORDS = 2 * WAYS;
/** Words of a service's record: its address, its host's number plus 1, the service, the host's life, and its days. */
const HOST = 4;
const SERVICE = 5;
const LIFE = 6;
/** The latest day, how many there were, and whether the address is of IPv6. */
const DAYS = 7;
const RECORD = 8;
/** Five cache lines, of which a contact needs two. */
const SET_WORDS = RECORDS + WAYS * RECORD;
const DAY_MASK = 0xffff;
const COUNT_SHIFT = 16;
const COUNT_MASK = 0xff;
const V6 = 1 << 24;
/** Before the first contact is noted. */
const NEVER = 0;

/** The columns that name a service. */
type Service = Omit<Ends, 'srcAddr'>;

/**
 * Which services each inside host contacts day by day. A bounded table of sets of eight; the longest unseen of a set goes
 * first. Contacts come from anywhere in it, so all that one needs lies together.
 */
export class UsualPeers {
  evictions = 0;
  private readonly words: Uint32Array;
  /** The same memory, for tags. */
  private readonly tags: Int32Array;
  private readonly setMask: number;
  private readonly suspectDay: Uint16Array;
  /** Records of an older life of their host do not count. */
  private readonly life: Uint32Array;

  /** @param peers records, rounded up to a power of two. */
  constructor(peers: number, hosts: number) {
    const sets = Math.max(1, 2 ** Math.ceil(Math.log2(peers / WAYS)));
    this.setMask = sets - 1;
    this.tags = alignedInts(sets * SET_WORDS);
    this.words = new Uint32Array(this.tags.buffer, this.tags.byteOffset, this.tags.length);
    this.suspectDay = new Uint16Array(hosts);
    this.life = new Uint32Array(hosts);
  }

  /**
   * The host made a contact. A day counts when the next contact is on a later one, and only if the host was not found doing
   * something hostile on it.
   * @returns true when it is the first contact of the day.
   */
  note(host: number, contacts: Contacts, i: number, nowUs: number): boolean {
    const { words } = this;
    const record = this.acquire(contacts.tag[i]!, host, contacts, i, nowUs);
    const day = dayOf(nowUs);
    const before = words[record + DAYS]!;
    const lastDay = before & DAY_MASK;
    if (lastDay === day) return false;
    const count = (before >>> COUNT_SHIFT) & COUNT_MASK;
    const counts = lastDay !== NEVER && this.suspectDay[host] !== lastDay && count < COUNT_MASK;
    words[record + DAYS] = (before & V6) | ((counts ? count + 1 : count) << COUNT_SHIFT) | day;
    return true;
  }

  /** Fetches what `note` will need first. @returns what was read, to be used somehow. */
  readAhead(tag: number): number {
    return this.tags[this.setOf(tag)]!;
  }

  /** What the host contacts today is not to become usual. */
  suspect(host: number, nowUs: number): void {
    this.suspectDay[host] = dayOf(nowUs);
  }

  /** On how many earlier days the host contacted this service. */
  daysOf(host: number, flows: Ends, slot: number): number {
    const pair = pairOf(hashAt(flows.srcAddr, slot), hashAt(flows.dstAddr, slot));
    const record = this.find(tagOf(pair, serviceOf(flows, slot)), flows, slot);
    return record >= 0 && this.belongs(record, host) ? (this.words[record + DAYS]! >>> COUNT_SHIFT) & COUNT_MASK : 0;
  }

  /** Forgets the host's peers. */
  clear(host: number): void {
    this.life[host]! += 1;
    this.suspectDay[host] = 0;
  }

  /** The peers of some hosts, by host. */
  read(hosts: ReadonlySet<number>): Map<number, UsualPeer[]> {
    const out = new Map<number, UsualPeer[]>();
    const r = this.words;
    for (let at = RECORDS; at < r.length; at += (at + RECORD) % SET_WORDS === 0 ? RECORD + RECORDS : RECORD) {
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
      const tag = tagOf(pairOf(hostHash, hashWords(...ip.words)), (proto << 16) | port);
      const ends = {
        dstAddr: Uint32Array.from(ip.words),
        ipVersion: Uint8Array.of(ip.version),
        proto: Uint8Array.of(proto),
        dstPort: Uint16Array.of(port),
      };
      const record = this.acquire(tag, host, ends, 0, lastMs * 1000);
      const count = Math.min(COUNT_MASK, days) << COUNT_SHIFT;
      this.words[record + DAYS] = (ip.version === 6 ? V6 : 0) | count | dayOf(lastMs * 1000);
    }
  }

  private setOf(tag: number): number {
    return (tag & this.setMask) * SET_WORDS;
  }

  /** The record of a host's service; a new one when there is none, or only of an older life of the host. */
  private acquire(tag: number, host: number, ends: Service, i: number, nowUs: number): number {
    const { words } = this;
    const set = this.setOf(tag);
    let record = this.find(tag, ends, i);
    if (record < 0 || !this.belongs(record, host)) {
      if (record < 0) record = this.replace(set, tag);
      this.begin(record, host, ends, i);
    }
    words[set + WORTHS + (record - set - RECORDS) / RECORD] = nowUs * TICKS_A_US;
    return record;
  }

  private find(tag: number, { dstAddr, proto, dstPort }: Service, i: number): number {
    const { words, tags } = this;
    const set = this.setOf(tag);
    for (let way = 0; way < WAYS; way++) {
      if (tags[set + way] !== tag) continue;
      const at = set + RECORDS + way * RECORD;
      if (
        words[at + 3] === dstAddr[4 * i + 3] &&
        words[at] === dstAddr[4 * i] &&
        words[at + 1] === dstAddr[4 * i + 1] &&
        words[at + 2] === dstAddr[4 * i + 2] &&
        words[at + SERVICE] === ((proto[i]! << 16) | dstPort[i]!)
      )
        return at;
    }
    return -1;
  }

  private replace(set: number, tag: number): number {
    const way = leastWorthy(this.words, set);
    if (this.tags[set + way] !== 0) this.evictions++;
    this.tags[set + way] = tag;
    return set + RECORDS + way * RECORD;
  }

  private begin(record: number, host: number, ends: Service, i: number): void {
    const { words } = this;
    for (let w = 0; w < 4; w++) words[record + w] = ends.dstAddr[4 * i + w]!;
    words[record + HOST] = host + 1;
    words[record + SERVICE] = (ends.proto[i]! << 16) | ends.dstPort[i]!;
    words[record + LIFE] = this.life[host]!;
    words[record + DAYS] = ends.ipVersion[i] === 6 ? V6 : 0;
  }

  private belongs(record: number, host: number): boolean {
    return this.words[record + HOST] === host + 1 && this.words[record + LIFE] === this.life[host];
  }
}

function dayOf(us: number): number {
  return Math.floor(us / DAY_US);
}
