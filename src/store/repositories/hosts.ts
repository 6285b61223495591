import { In } from 'typeorm';
import { addressKey } from '../address-key.js';
import type { Database } from '../data-source.js';
import type { FlowRow } from '../entities/traffic.js';
import type { HostHourRow } from '../entities/host.js';

export type HostHour = HostHourRow;

/** A host of the own networks over the last day. */
export interface HostSummary {
  address: string;
  flows: number;
  bytesIn: number;
  bytesOut: number;
  peers: number;
  lastMs: number;
}

/** A flow as far as a graph needs it. */
export type HostFlow = Pick<
  FlowRow,
  'srcIp' | 'dstIp' | 'dstPort' | 'srcPort' | 'proto' | 'bytesFwd' | 'bytesBwd' | 'startUs' | 'endMs'
>;

export interface HostRepository {
  add(rows: readonly HostHour[]): Promise<void>;
  /** Hosts seen since then, newest first. @param words all of which the address must hold. */
  list(sinceMs: number, page: { limit: number; offset: number; words: readonly string[] }): Promise<HostSummary[]>;
  /** Hours of these hosts since then, oldest first. */
  hours(addresses: readonly string[], sinceMs: number): Promise<HostHour[]>;
  /** The newest flows of an address since then, at most `limit` each way. */
  flows(address: string, sinceMs: number, limit: number): Promise<HostFlow[]>;
  /** Alerts since then in which the address is offender or peer, at most `limit` counted each way. */
  alerts(address: string, sinceMs: number, limit: number): Promise<number>;
}

const ROWS_A_STATEMENT = 200;

export function createHostRepository(db: Database, fresh: () => Promise<void>): HostRepository {
  const hours = db.manager.getRepository(db.entities.hostHour);
  const flows = db.manager.getRepository(db.entities.flow);
  const alerts = db.manager.getRepository(db.entities.alert);

  return {
    async add(rows) {
      for (let at = 0; at < rows.length; at += ROWS_A_STATEMENT) {
        const part = rows.slice(at, at + ROWS_A_STATEMENT);
        const values = part.flatMap((r) => [r.address, r.atMs, r.flows, r.bytesIn, r.bytesOut, r.peers, r.lastMs]);
        await db.write((manager) => manager.query(addSql(db.kind, part.length), values));
      }
    },
    async list(sinceMs, { limit, offset, words }) {
      await fresh();
      const like = words.map(() => ' AND address LIKE ?').join('');
      const found = (await db.manager.query(
        `SELECT address, SUM(flows) AS flows, SUM(bytes_in) AS bytesIn, SUM(bytes_out) AS bytesOut, MAX(peers) AS peers,
                MAX(last_ms) AS lastMs
         FROM host_hours WHERE at_ms > ?${like} GROUP BY address ORDER BY MAX(last_ms) DESC, address LIMIT ? OFFSET ?`,
        [sinceMs - 3_600_000, ...words.map((word) => `%${word.replaceAll(/[%_\\]/g, '_')}%`), limit, offset],
      )) as Record<string, unknown>[];
      return found.map((row) => ({
        address: String(row['address']),
        flows: Number(row['flows']),
        bytesIn: Number(row['bytesIn']),
        bytesOut: Number(row['bytesOut']),
        peers: Number(row['peers']),
        lastMs: Number(row['lastMs']),
      }));
    },
    async hours(addresses, sinceMs) {
      if (addresses.length === 0) return [];
      await fresh();
      return hours
        .createQueryBuilder('h')
        .where({ address: In([...addresses]) })
        .andWhere('h.atMs >= :sinceMs', { sinceMs })
        .orderBy('h.atMs', 'ASC')
        .getMany();
    },
    async flows(address, sinceMs, limit) {
      const key = addressKey(address);
      const newest = (column: 'srcKey' | 'dstKey') =>
        flows
          .createQueryBuilder('f')
          .select([
            'f.id',
            'f.srcIp',
            'f.dstIp',
            'f.srcPort',
            'f.dstPort',
            'f.proto',
            'f.bytesFwd',
            'f.bytesBwd',
            'f.startUs',
            'f.endMs',
          ])
          .where(`f.${column} = :key AND f.endMs >= :sinceMs`, { key, sinceMs })
          .orderBy('f.endMs', 'DESC')
          .addOrderBy('f.id', 'DESC')
          .limit(limit)
          .getMany();
      return [...(await newest('srcKey')), ...(await newest('dstKey'))];
    },
    async alerts(address, sinceMs, limit) {
      const key = addressKey(address);
      let total = 0;
      for (const column of ['offenderKey', 'peerKey']) {
        const found = await alerts
          .createQueryBuilder('a')
          .select('a.id', 'id')
          .where(`a.${column} = :key AND a.lastMs >= :sinceMs`, { key, sinceMs })
          .limit(limit)
          .getRawMany();
        total += found.length;
      }
      return total;
    },
  };
}

function addSql(kind: Database['kind'], rows: number): string {
  const names = ['address', 'at_ms', 'flows', 'bytes_in', 'bytes_out', 'peers', 'last_ms'];
  const values = Array.from({ length: rows }, () => `(${names.map(() => '?').join(',')})`).join(',');
  const insert = `INSERT INTO host_hours (${names.join(',')}) VALUES ${values}`;
  const sums = ['flows', 'bytes_in', 'bytes_out'];
  const largest = ['peers', 'last_ms'];
  return kind === 'mysql'
    ? `${insert} ON DUPLICATE KEY UPDATE ${[...sums.map((c) => `${c}=${c}+VALUES(${c})`), ...largest.map((c) => `${c}=GREATEST(${c},VALUES(${c}))`)].join(',')}`
    : `${insert} ON CONFLICT(address, at_ms) DO UPDATE SET ${[...sums.map((c) => `${c}=${c}+excluded.${c}`), ...largest.map((c) => `${c}=max(${c},excluded.${c})`)].join(',')}`;
}
