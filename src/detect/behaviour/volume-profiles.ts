import { HOURS_OF_WEEK, type ServiceVolume } from '../../contract/baseline.js';

/** Stands for all services of a host together; every host's first row. */
export const ALL_SERVICES = 0;
/** Weight of the newest week once several are known. */
const NEWEST = 0.25;
const HOUR_US = 3_600e6;
/** The epoch began on a Thursday at 00:00; weeks begin on Monday. */
const EPOCH_HOUR = 72;

/** Hour of the week, 0 = Monday 00:00 UTC. */
export function hourOfWeek(us: number): number {
  return (Math.floor(us / HOUR_US) + EPOCH_HOUR) % HOURS_OF_WEEK;
}

/** What hosts send by service and hour of the week: exponentially weighted means in fixed rows, some for each host. */
export class VolumeProfiles {
  private readonly rows: number;
  /** Service of each row: protocol and port; a row is taken when `used`. */
  private readonly service: Uint32Array;
  private readonly used: Uint8Array;
  private readonly present: Float64Array;
  private readonly sent: Float32Array;
  private readonly weeks: Uint8Array;

  /** @param services rows of a host beside the one of all services. */
  constructor(hosts: number, services: number) {
    this.rows = services + 1;
    this.service = new Uint32Array(hosts * this.rows);
    this.used = new Uint8Array(hosts * this.rows);
    this.present = new Float64Array(hosts * this.rows);
    this.sent = new Float32Array(hosts * this.rows * HOURS_OF_WEEK);
    this.weeks = new Uint8Array(hosts * this.rows * HOURS_OF_WEEK);
  }

  clear(host: number): void {
    const from = host * this.rows;
    const to = from + this.rows;
    this.used.fill(0, from, to);
    this.present.fill(0, from, to);
    this.sent.fill(0, from * HOURS_OF_WEEK, to * HOURS_OF_WEEK);
    this.weeks.fill(0, from * HOURS_OF_WEEK, to * HOURS_OF_WEEK);
    this.used[from] = 1;
    this.service[from] = ALL_SERVICES;
  }

  /** Counts bytes of the present hour. @returns the service's bytes of this hour, 0 when the host has no row left for it. */
  add(host: number, service: number, bytes: number): number {
    this.present[host * this.rows]! += bytes;
    const row = this.rowOf(host, service, true);
    return row < 0 ? 0 : (this.present[row]! += bytes);
  }

  /** The hour is over: it becomes part of the means, if it was seen from its beginning; silence counts as 0. */
  commit(host: number, hour: number, wasWhole: boolean): void {
    for (let row = host * this.rows; row < (host + 1) * this.rows; row++) {
      if (this.used[row] === 0) continue;
      const at = row * HOURS_OF_WEEK + hour;
      const bytes = this.present[row]!;
      this.present[row] = 0;
      if (!wasWhole) continue;
      const weeks = this.weeks[at]!;
      const weight = Math.max(1 / (weeks + 1), NEWEST);
      this.sent[at]! += weight * (bytes - this.sent[at]!);
      if (weeks < 255) this.weeks[at] = weeks + 1;
    }
  }

  /** Mean bytes in this hour of the week; what begins a little early or late is found in the hours beside it. */
  usual(host: number, service: number, hour: number): number {
    const row = this.rowOf(host, service, false);
    if (row < 0) return 0;
    const at = row * HOURS_OF_WEEK;
    const before = (hour + HOURS_OF_WEEK - 1) % HOURS_OF_WEEK;
    const after = (hour + 1) % HOURS_OF_WEEK;
    return Math.max(this.sent[at + before]!, this.sent[at + hour]!, this.sent[at + after]!);
  }

  read(host: number): ServiceVolume[] {
    const out: ServiceVolume[] = [];
    for (let row = host * this.rows; row < (host + 1) * this.rows; row++) {
      if (this.used[row] === 0) continue;
      const [from, to] = [row * HOURS_OF_WEEK, (row + 1) * HOURS_OF_WEEK];
      out.push({
        proto: this.service[row]! >>> 16,
        port: this.service[row]! & 0xffff,
        sentBytes: Array.from(this.sent.subarray(from, to), Math.round),
        weeks: [...this.weeks.subarray(from, to)],
      });
    }
    return out;
  }

  write(host: number, volumes: readonly ServiceVolume[]): void {
    for (const { proto, port, sentBytes, weeks } of volumes) {
      const row = this.rowOf(host, ((proto << 16) | port) >>> 0, true);
      if (row < 0) continue;
      this.sent.set(sentBytes, row * HOURS_OF_WEEK);
      this.weeks.set(weeks, row * HOURS_OF_WEEK);
    }
  }

  private rowOf(host: number, service: number, claim: boolean): number {
    const from = host * this.rows;
    for (let row = from; row < from + this.rows; row++) {
      if (this.used[row] === 0) {
        if (!claim) return -1;
        this.used[row] = 1;
        this.service[row] = service;
        return row;
      }
      if (this.service[row] === service) return row;
    }
    return -1;
  }
}
