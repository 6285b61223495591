import type { AddressTable } from './address-table.js';
import { DistinctSets } from './distinct-sets.js';

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
}

/** Failed attempts in one window: distinct hosts, their networks, ports and host-port pairs, and what went well. */
export class ScanCounter {
  private readonly windowUs: number;
  private readonly startUs: Float64Array;
  private readonly generation: Uint32Array;
  private readonly table: AddressTable;
  private readonly sets: DistinctSets;
  private readonly good: Uint32Array;
  private readonly probes: Uint32Array;

  constructor(table: AddressTable, windowSecs: number) {
    this.table = table;
    this.windowUs = windowSecs * 1e6;
    this.startUs = new Float64Array(table.capacity);
    this.generation = new Uint32Array(table.capacity);
    this.sets = new DistinctSets(table.capacity * SETS);
    this.good = new Uint32Array(table.capacity);
    this.probes = new Uint32Array(table.capacity);
  }

  /** Begins a new window when the old one is over or belonged to another address. */
  private roll(index: number, nowUs: number): void {
    const own = this.generation[index] === this.table.generation[index];
    if (own && nowUs - this.startUs[index]! < this.windowUs) return;
    this.generation[index] = this.table.generation[index]!;
    this.startUs[index] = nowUs;
    for (let s = 0; s < SETS; s++) this.sets.clear(index * SETS + s);
    this.good[index] = 0;
    this.probes[index] = 0;
  }

  /** @returns true when a distinct count may have grown. */
  addFailed(index: number, probe: Probe, nowUs: number): boolean {
    this.roll(index, nowUs);
    this.probes[index]! += 1;
    const a = this.sets.add(index * SETS + HOSTS, probe.host);
    const b = probe.port !== 0 && this.sets.add(index * SETS + PORTS, probe.port);
    const c = this.sets.add(index * SETS + SERVICES, probe.service);
    this.sets.add(index * SETS + NETWORKS, probe.network);
    return a || b || c;
  }

  addProductive(index: number, nowUs: number): void {
    this.roll(index, nowUs);
    this.good[index]! += 1;
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

  services(index: number): number {
    return this.sets.count(index * SETS + SERVICES);
  }

  productive(index: number): number {
    return this.good[index]!;
  }

  failed(index: number): number {
    return this.probes[index]!;
  }

  elapsedSecs(index: number, nowUs: number): number {
    return Math.max(0, nowUs - this.startUs[index]!) / 1e6;
  }
}
