import type { HostBaseline } from '../../contract/baseline.js';
import type { FlowColumns } from '../../domain/flow.js';
import { formatIpWords, parseIp } from '../../util/ip.js';
import { AddressTable, hashWords } from './address-table.js';
import type { ContactWatch } from './contact-watch.js';
import { CONTACT, serviceOf, type Contacts, type Ends } from './contacts.js';
import type { Detector } from './detector.js';
import { HomeNetworks } from './home-networks.js';
import type { BehaviourOptions } from './options.js';
import { UsualPeers } from './usual-peers.js';
import { ALL_SERVICES, hourOfWeek, VolumeProfiles } from './volume-profiles.js';

const HOUR_US = 3_600e6;
const DAY_US = 86_400e6;
/** An hour counts when it was watched but for this long. */
const MISSED_US = 300e6;

/** How much a host sent in this hour, and what is usual; bytes. */
export interface Volume {
  /** By the flow's service alone, in the present clock hour. */
  service: number;
  usual: number;
  usualService: number;
  isLearning: boolean;
}

/**
 * What is usual of inside hosts: how much each sends outside by service and hour of the week, and which services it
 * contacts day by day. Until a host has been known for the learning time, what is only unusual is told and blocks nobody.
 * A day on which a host was found doing something hostile teaches nothing.
 */
export class Baselines implements Detector {
  readonly name = 'baseline';
  private readonly options: BehaviourOptions['baseline'];
  private readonly home: HomeNetworks;
  private readonly hosts: AddressTable;
  private readonly generation: Uint32Array;
  private readonly version: Uint8Array;
  private readonly firstUs: Float64Array;
  private readonly lastUs: Float64Array;
  private readonly volumes: VolumeProfiles;
  private readonly peers: UsualPeers;
  private readonly contacts: ContactWatch;
  /** Hosts whose baseline is to be told. */
  private readonly changed: Uint8Array;
  private hour = -1;
  private hourSinceUs = 0;

  constructor(options: BehaviourOptions, contacts: ContactWatch) {
    this.options = options.baseline;
    this.contacts = contacts;
    this.home = new HomeNetworks(options.homeNetworks);
    this.hosts = new AddressTable(options.baseline.maxHosts);
    const n = this.hosts.capacity;
    this.generation = new Uint32Array(n);
    this.version = new Uint8Array(n);
    this.firstUs = new Float64Array(n);
    this.lastUs = new Float64Array(n);
    this.changed = new Uint8Array(n);
    this.volumes = new VolumeProfiles(n, options.baseline.maxServices);
    this.peers = new UsualPeers(options.baseline.maxPeers, n);
  }

  /**
   * One contact a day teaches all there is. A host is learned once it has exchanged data: forged sources teach nothing and
   * push nobody out. What a known host tries in vain becomes usual too.
   */
  onContact(contacts: Contacts, i: number, sinceMs: number): void {
    if (!isNews(contacts, i, sinceMs)) return;
    const startUs = contacts.startUs[i]!;
    const isFailed = (contacts.kind[i]! & CONTACT.FAILED) !== 0;
    const host = isFailed ? this.findHost(contacts, i) : this.hostOf(contacts, i, startUs);
    if (host >= 0 && this.peers.note(host, contacts, i, startUs)) this.changed[host] = 1;
  }

  readAhead(contacts: Contacts, i: number, sinceMs: number): number {
    return isNews(contacts, i, sinceMs) ? this.peers.readAhead(contacts.tag[i]!) : 0;
  }

  onTick(nowUs: number): void {
    const hour = Math.floor(nowUs / HOUR_US);
    if (hour === this.hour) return;
    const wasWhole = this.hour >= 0 && hour === this.hour + 1 && this.hourSinceUs - this.hour * HOUR_US < MISSED_US;
    for (let host = 0; host < this.hosts.capacity; host++) {
      if (this.generation[host] === 0) continue;
      this.volumes.commit(host, hourOfWeek(this.hour * HOUR_US), wasWhole);
      if (wasWhole) this.changed[host] = 1;
    }
    this.hourSinceUs = this.hour < 0 ? nowUs : hour * HOUR_US;
    this.hour = hour;
  }

  /** Counts what a flow of an inside host sent outside. */
  addSent(flows: FlowColumns, slot: number, bytes: number, nowUs: number): Volume {
    const host = this.hostOf(flows, slot, nowUs);
    const service = serviceOf(flows, slot);
    const hour = hourOfWeek(nowUs);
    return {
      service: this.volumes.add(host, service, bytes),
      usual: this.volumes.usual(host, ALL_SERVICES, hour),
      usualService: this.volumes.usual(host, service, hour),
      isLearning: nowUs < this.firstUs[host]! + this.options.learnDays * DAY_US,
    };
  }

  /** True when the flow's source has contacted its destination on enough earlier days. */
  isUsual(flows: Ends, slot: number): boolean {
    if (!this.home.contains(flows.ipVersion[slot]!, flows.srcAddr, slot)) return false;
    const host = this.findHost(flows, slot);
    return host >= 0 && this.peers.daysOf(host, flows, slot) >= this.options.usualDays;
  }

  /** The flow's source was found doing something hostile: today teaches nothing about it. */
  suspect(flows: FlowColumns, slot: number, nowUs: number): void {
    this.contacts.settle();
    const host = this.findHost(flows, slot);
    if (host >= 0) this.peers.suspect(host, nowUs);
  }

  /** Hosts whose baseline changed since they were last taken, at most `max` of them. */
  takeChanged(max: number): HostBaseline[] {
    this.contacts.settle();
    const taken: number[] = [];
    for (
      let host = this.changed.indexOf(1);
      host >= 0 && taken.length < max;
      host = this.changed.indexOf(1, host + 1)
    ) {
      this.changed[host] = 0;
      taken.push(host);
    }
    const peers = taken.length === 0 ? new Map<number, []>() : this.peers.read(new Set(taken));
    return taken.map((host) => ({
      host: this.addressOf(host),
      firstMs: Math.round(this.firstUs[host]! / 1000),
      lastMs: Math.round(this.lastUs[host]! / 1000),
      volumes: this.volumes.read(host),
      peers: peers.get(host) ?? [],
    }));
  }

  /** Gives back what was learned before a restart. Hosts that were seen meanwhile keep the longer memory. */
  restore(list: readonly HostBaseline[]): void {
    this.contacts.settle();
    for (const { host: address, firstMs, lastMs, volumes, peers } of list) {
      const ip = parseIp(address);
      if (!ip) continue;
      const [w0, w1, w2, w3] = ip.words;
      const host = this.acquire(w0, w1, w2, w3, { version: ip.version, nowUs: lastMs * 1000 });
      this.firstUs[host] = Math.min(this.firstUs[host]!, firstMs * 1000);
      this.lastUs[host] = Math.max(this.lastUs[host]!, lastMs * 1000);
      this.volumes.write(host, volumes);
      this.peers.write(host, hashWords(w0, w1, w2, w3), peers);
    }
  }

  forget(address: string): void {
    this.contacts.settle();
    const ip = parseIp(address);
    const host = ip ? this.hosts.find(...ip.words) : -1;
    if (host < 0) return;
    this.volumes.clear(host);
    this.peers.clear(host);
    this.contacts.forgetSights();
    this.firstUs[host] = this.lastUs[host]!;
    this.changed[host] = 0;
  }

  stats(): Record<string, number> {
    this.contacts.settle();
    return { baseline_hosts_evicted: this.hosts.evictions, baseline_peers_evicted: this.peers.evictions };
  }

  private addressOf(host: number): string {
    const word = (w: number): number => this.hosts.word(host, w);
    return formatIpWords(this.version[host]!, word(0), word(1), word(2), word(3));
  }

  private findHost(flows: Ends, slot: number): number {
    const a = 4 * slot;
    const s = flows.srcAddr;
    return this.hosts.find(s[a]!, s[a + 1]!, s[a + 2]!, s[a + 3]!);
  }

  private hostOf(flows: Ends, slot: number, nowUs: number): number {
    const a = 4 * slot;
    const s = flows.srcAddr;
    const version = flows.ipVersion[slot]!;
    const host = this.acquire(s[a]!, s[a + 1]!, s[a + 2]!, s[a + 3]!, { version, nowUs });
    this.lastUs[host] = nowUs;
    return host;
  }

  private acquire(w0: number, w1: number, w2: number, w3: number, seen: { version: number; nowUs: number }): number {
    const host = this.hosts.acquire(w0, w1, w2, w3, seen.nowUs);
    if (this.hosts.inserted) {
      // Whoever was here before is forgotten with all it did.
      if (this.generation[host] !== 0) this.peers.clear(host);
      this.volumes.clear(host);
      this.generation[host] = this.hosts.generation(host);
      this.version[host] = seen.version;
      this.firstUs[host] = seen.nowUs;
      this.lastUs[host] = seen.nowUs;
    }
    return host;
  }
}

/** A contact of an inside host that was not seen today. */
function isNews(contacts: Contacts, i: number, sinceMs: number): boolean {
  if ((contacts.kind[i]! & CONTACT.FROM_INSIDE) === 0) return false;
  const startUs = contacts.startUs[i]!;
  return sinceMs < 0 || Math.floor((startUs - sinceMs * 1000) / DAY_US) !== Math.floor(startUs / DAY_US);
}
