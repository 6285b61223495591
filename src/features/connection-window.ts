import type { FlowColumns } from '../domain/flow.js';
import { CountTable } from './count-table.js';
import { ERROR_CLASS } from './kdd-connection.js';

/** Key discriminators: a service is protocol and port, or an ICMP service; hosts and source ports have their own space. */
const HOST = 0xffff_ffff;
const SOURCE_PORT = 0x8000_0000;

/** The connection a window is asked about or given. */
export interface WindowConnection {
  flows: FlowColumns;
  slot: number;
  /** The responder is the flow's source (its first packet was a SYN-ACK). */
  flipped: boolean;
  /** Identity of the service: protocol and port, as the tables tell unnamed ports apart. */
  service: number;
  /** Port of the originator; 0 without. */
  sourcePort: number;
}

/**
 * The latest connections, by age or by number, with counts by destination host, by service and by both. Adding,
 * expiring, changing a connection's error class and asking are O(1).
 */
export class ConnectionWindow {
  /** Connections pushed out by the limit on their number before their time. */
  overflowed = 0;
  private readonly maxAgeUs: number;
  private readonly capacity: number;
  private readonly startUs: Float64Array;
  private readonly errors: Uint8Array;
  private readonly host: Int32Array;
  private readonly service: Int32Array;
  private readonly pair: Int32Array;
  private readonly port: Int32Array;
  private readonly table: CountTable;
  /** Sequence numbers of the oldest connection inside and of the next to come. */
  private tail = 0;
  private head = 0;

  constructor(capacity: number, maxAgeUs: number) {
    this.capacity = capacity;
    this.maxAgeUs = maxAgeUs;
    this.startUs = new Float64Array(capacity);
    this.errors = new Uint8Array(capacity);
    this.host = new Int32Array(capacity);
    this.service = new Int32Array(capacity);
    this.pair = new Int32Array(capacity);
    this.port = new Int32Array(capacity);
    this.table = new CountTable(4 * capacity);
  }

  /** Adds a connection. @returns its sequence number, for `setErrors`. */
  add(c: WindowConnection, nowUs: number): number {
    this.expire(nowUs);
    if (this.head - this.tail === this.capacity) {
      if (this.maxAgeUs !== Infinity) this.overflowed++;
      this.drop();
    }
    const i = this.head % this.capacity;
    this.setHost(c);
    this.startUs[i] = nowUs;
    this.errors[i] = ERROR_CLASS.NONE;
    this.host[i] = this.retain(HOST);
    this.port[i] = this.retain(SOURCE_PORT | c.sourcePort);
    this.pair[i] = this.retain(c.service);
    this.service[i] = this.retainService(c.service);
    if (this.table.count[this.pair[i]] === 1) {
      this.table.distinct[this.host[i]]! += 1;
      this.table.distinct[this.service[i]]! += 1;
    }
    return this.head++;
  }

  /** Tells the window what a connection has become. */
  setErrors(sequence: number, errorClass: number): void {
    if (sequence < this.tail) return;
    const i = sequence % this.capacity;
    if (this.errors[i] === errorClass) return;
    this.countErrors(i, -1);
    this.errors[i] = errorClass;
    this.countErrors(i, 1);
  }

  /** Forgets connections that began longer than the window's age before `nowUs`. */
  expire(nowUs: number): void {
    const oldest = nowUs - this.maxAgeUs;
    while (this.tail < this.head && this.startUs[this.tail % this.capacity]! < oldest) this.drop();
  }

  /** Index of the connection's destination host in `table`, or -1. */
  findHost(c: WindowConnection): number {
    return this.find(c, HOST);
  }

  /** Index of host and service together, or -1. */
  findPair(c: WindowConnection): number {
    return this.find(c, c.service);
  }

  findSourcePort(c: WindowConnection): number {
    return this.find(c, SOURCE_PORT | c.sourcePort);
  }

  findService(c: WindowConnection): number {
    this.table.key.fill(0);
    this.table.key[4] = c.service;
    return this.table.find();
  }

  get counts(): CountTable {
    return this.table;
  }

  private setHost(c: WindowConnection): void {
    const words = c.flipped ? c.flows.srcAddr : c.flows.dstAddr;
    for (let w = 0; w < 4; w++) this.table.key[w] = words[4 * c.slot + w]!;
  }

  private find(c: WindowConnection, discriminator: number): number {
    this.setHost(c);
    this.table.key[4] = discriminator;
    return this.table.find();
  }

  private retain(discriminator: number): number {
    this.table.key[4] = discriminator;
    return this.table.retain();
  }

  private retainService(service: number): number {
    this.table.key.fill(0);
    this.table.key[4] = service;
    return this.table.retain();
  }

  private drop(): void {
    const i = this.tail++ % this.capacity;
    this.countErrors(i, -1);
    if (this.table.release(this.pair[i]!)) {
      this.table.distinct[this.host[i]!]! -= 1;
      this.table.distinct[this.service[i]!]! -= 1;
    }
    this.table.release(this.host[i]!);
    this.table.release(this.port[i]!);
    this.table.release(this.service[i]!);
  }

  private countErrors(i: number, amount: number): void {
    const kind = this.errors[i];
    if (kind === ERROR_CLASS.NONE) return;
    const column = kind === ERROR_CLASS.SYN ? this.table.synErrors : this.table.rejectErrors;
    column[this.host[i]!]! += amount;
    column[this.service[i]!]! += amount;
    column[this.pair[i]!]! += amount;
  }
}
