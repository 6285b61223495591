import type { UsualPeer } from '../../contract/baseline.js';
import type { FlowColumns } from '../../domain/flow.js';
import { formatIpWords, parseIp } from '../../util/ip.js';
import { AddressTable, hashWords, mix32 } from './address-table.js';

const DAY_US = 86_400e6;
/** Peers told of one host: those of most days. */
const MAX_TOLD = 256;

/** Which services each inside host contacts day by day. A bounded table; the longest unseen goes first. */
export class UsualPeers {
  private readonly table: AddressTable;
  private readonly host: Int32Array;
  private readonly words: Uint32Array;
  private readonly service: Uint32Array;
  private readonly version: Uint8Array;
  private readonly days: Uint8Array;
  private readonly lastDay: Uint16Array;
  private readonly suspectDay: Uint16Array;
  /** Entries of an older life of their host do not count. */
  private readonly life: Uint32Array;
  private readonly lifeOf: Uint32Array;

  constructor(peers: number, hosts: number) {
    this.table = new AddressTable(peers);
    const n = this.table.capacity;
    this.host = new Int32Array(n).fill(-1);
    this.words = new Uint32Array(n * 4);
    this.service = new Uint32Array(n);
    this.version = new Uint8Array(n);
    this.days = new Uint8Array(n);
    this.lastDay = new Uint16Array(n);
    this.suspectDay = new Uint16Array(hosts);
    this.life = new Uint32Array(hosts);
    this.lifeOf = new Uint32Array(n);
  }

  get evictions(): number {
    return this.table.evictions;
  }

  /**
   * The host contacts the destination of a flow. A day counts when the next contact is on a later one, and only if the host
   * was not found doing something hostile on it.
   * @returns true when it is the first contact of the day.
   */
  note(host: number, flows: FlowColumns, slot: number, nowUs: number): boolean {
    const i = this.entry(flows, slot, nowUs);
    const day = dayOf(nowUs);
    if (this.table.inserted || !this.belongs(i, host)) this.begin(i, host, flows, slot);
    else if (this.lastDay[i] === day) return false;
    else if (this.suspectDay[host] !== this.lastDay[i] && this.days[i]! < 255) this.days[i]! += 1;
    this.lastDay[i] = day;
    return true;
  }

  /** What the host contacts today is not to become usual. */
  suspect(host: number, nowUs: number): void {
    this.suspectDay[host] = dayOf(nowUs);
  }

  /** On how many earlier days the host contacted this service. */
  daysOf(host: number, flows: FlowColumns, slot: number): number {
    const i = this.find(flows, slot);
    return i >= 0 && this.belongs(i, host) ? this.days[i]! : 0;
  }

  /** Forgets the host's peers. */
  clear(host: number): void {
    this.life[host]! += 1;
    this.suspectDay[host] = 0;
  }

  /** The peers of some hosts, by host. */
  read(hosts: ReadonlySet<number>): Map<number, UsualPeer[]> {
    const out = new Map<number, UsualPeer[]>();
    for (let i = 0; i < this.host.length; i++) {
      const host = this.host[i]!;
      if (host < 0 || !hosts.has(host) || !this.belongs(i, host)) continue;
      const w = this.words;
      const list = out.get(host) ?? [];
      out.set(host, list);
      list.push({
        address: formatIpWords(this.version[i]!, w[4 * i]!, w[4 * i + 1]!, w[4 * i + 2]!, w[4 * i + 3]!),
        port: this.service[i]! & 0xffff,
        proto: this.service[i]! >>> 16,
        days: this.days[i]!,
        lastMs: (this.lastDay[i]! * DAY_US) / 1000,
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
      const i = this.table.acquire(hostHash, dst, mix32(hostHash ^ mix32(dst)), service, lastMs * 1000);
      this.host[i] = host;
      this.lifeOf[i] = this.life[host]!;
      this.words.set(ip.words, 4 * i);
      this.version[i] = ip.version;
      this.service[i] = service;
      this.days[i] = Math.min(255, days);
      this.lastDay[i] = dayOf(lastMs * 1000);
    }
  }

  private begin(i: number, host: number, flows: FlowColumns, slot: number): void {
    this.host[i] = host;
    this.lifeOf[i] = this.life[host]!;
    this.days[i] = 0;
    this.version[i] = flows.ipVersion[slot]!;
    this.service[i] = serviceOf(flows, slot);
    for (let w = 0; w < 4; w++) this.words[4 * i + w] = flows.dstAddr[4 * slot + w]!;
  }

  private belongs(i: number, host: number): boolean {
    return this.host[i] === host && this.lifeOf[i] === this.life[host];
  }

  private entry(flows: FlowColumns, slot: number, nowUs: number): number {
    const [src, dst] = [hashOf(flows.srcAddr, slot), hashOf(flows.dstAddr, slot)];
    return this.table.acquire(src, dst, mix32(src ^ mix32(dst)), serviceOf(flows, slot), nowUs);
  }

  private find(flows: FlowColumns, slot: number): number {
    const [src, dst] = [hashOf(flows.srcAddr, slot), hashOf(flows.dstAddr, slot)];
    return this.table.find(src, dst, mix32(src ^ mix32(dst)), serviceOf(flows, slot));
  }
}

function hashOf(words: Uint32Array, slot: number): number {
  const a = 4 * slot;
  return hashWords(words[a]!, words[a + 1]!, words[a + 2]!, words[a + 3]!);
}

/** Protocol and port of a flow's destination. */
export function serviceOf(flows: FlowColumns, slot: number): number {
  return ((flows.proto[slot]! << 16) | flows.dstPort[slot]!) >>> 0;
}

function dayOf(us: number): number {
  return Math.floor(us / DAY_US);
}
