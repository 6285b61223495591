import type { AddressTable } from './address-table.js';
import { alignedFloats } from './cache-lines.js';
import { DistinctSets } from './distinct-sets.js';
import type { ProductiveCount } from './productive-count.js';

const HOSTS = 0;
const PORTS = 1;
const SERVICES = 2;
const NETWORKS = 3;
const SETS = 4;

/** Hashes of what was probed; `port` 0 without. */
export interface Probe {
  host: number;
  /** /24 or /64 of the host. */
  network: number;
  port: number;
  /** Host and port together. */
  service: number;
  /** It was answered, and the source dropped the connection without a byte. */
  isSilent: boolean;
  /** It is a peer of file sharing. */
  isPeer: boolean;
  /** When it was sent. */
  atUs: number;
}

/** Columns of an entry's record: eight numbers, one cache line. */
const START_US = 0;
const GENERATION = 1;
const PROBES = 2;
const GOOD_BEFORE = 3;
/** Ports and hosts that were open: the source connected and said nothing. */
const SILENT_PORTS = 4;
const SILENT_HOSTS = 5;
/** Hosts that were asked as peers of file sharing. */
const PEERS = 6;
const COLUMNS = 8;

/**
 * Failed attempts in one window, which begins with the first of them: distinct hosts, their networks, ports and host-port
 * pairs, and what went well meanwhile.
 */
export class ScanCounter {
  private readonly windowUs: number;
  private readonly records: Float64Array;
  private readonly table: AddressTable;
  private readonly sets: DistinctSets;
  private readonly good: ProductiveCount | undefined;

  constructor(table: AddressTable, windowSecs: number, good?: ProductiveCount) {
    this.table = table;
    this.windowUs = windowSecs * 1e6;
    this.records = alignedFloats(table.capacity * COLUMNS);
    this.sets = new DistinctSets(table.capacity * SETS);
    this.good = good;
  }

  /** Begins a new window when the old one is over or belonged to another address. */
  private roll(index: number, nowUs: number, sinceUs: number): void {
    const at = index * COLUMNS;
    const own = this.records[at + GENERATION] === this.table.generation(index);
    if (own && nowUs - this.records[at + START_US]! < this.windowUs) return;
    this.restart(index, sinceUs);
  }

  /** Begins a new window. */
  restart(index: number, sinceUs: number): void {
    const at = index * COLUMNS;
    this.records[at + GENERATION] = this.table.generation(index);
    this.records[at + START_US] = sinceUs;
    this.records[at + PROBES] = 0;
    this.records[at + SILENT_PORTS] = 0;
    this.records[at + SILENT_HOSTS] = 0;
    this.records[at + PEERS] = 0;
    this.records[at + GOOD_BEFORE] = this.good?.of(index) ?? 0;
    for (let s = 0; s < SETS; s++) this.sets.clear(index * SETS + s);
  }

  /** @returns true when a distinct count may have grown. */
  addFailed(index: number, probe: Probe, nowUs: number): boolean {
    this.roll(index, nowUs, probe.atUs);
    this.records[index * COLUMNS + PROBES]! += 1;
    const a = probe.isPeer ? this.addPeer(index, probe.host) : this.sets.add(index * SETS + HOSTS, probe.host);
    const b = probe.port !== 0 && this.sets.add(index * SETS + PORTS, probe.port);
    const c = this.sets.add(index * SETS + SERVICES, probe.service);
    this.sets.add(index * SETS + NETWORKS, probe.network);
    if (probe.isSilent && a) this.records[index * COLUMNS + SILENT_HOSTS]! += 1;
    if (probe.isSilent && b) this.records[index * COLUMNS + SILENT_PORTS]! += 1;
    return a || b || c;
  }

  private addPeer(index: number, host: number): boolean {
    const before = this.hosts(index);
    if (!this.sets.add(index * SETS + HOSTS, host)) return false;
    this.records[index * COLUMNS + PEERS]! += this.hosts(index) - before;
    return true;
  }

  /** Hosts that were asked as peers of file sharing and as nothing else before. */
  peers(index: number): number {
    return this.records[index * COLUMNS + PEERS]!;
  }

  hosts(index: number): number {
    return this.sets.count(index * SETS + HOSTS);
  }

  networks(index: number): number {
    return this.sets.count(index * SETS + NETWORKS);
  }

  ports(index: number): number {
    return this.sets.count(index * SETS + PORTS);
  }

  /** Hosts, those that were open at half: monitoring and health checks look at open ports, scans find mostly closed ones. */
  weighedHosts(index: number): number {
    return this.hosts(index) - Math.floor(this.records[index * COLUMNS + SILENT_HOSTS]! / 2);
  }

  weighedPorts(index: number): number {
    return this.ports(index) - Math.floor(this.records[index * COLUMNS + SILENT_PORTS]! / 2);
  }

  services(index: number): number {
    return this.sets.count(index * SETS + SERVICES);
  }

  productive(index: number): number {
    return (this.good?.of(index) ?? 0) - this.records[index * COLUMNS + GOOD_BEFORE]!;
  }

  failed(index: number): number {
    return this.records[index * COLUMNS + PROBES]!;
  }

  elapsedSecs(index: number, nowUs: number): number {
    return Math.max(0, nowUs - this.records[index * COLUMNS + START_US]!) / 1e6;
  }
}
