import { existsSync, readdirSync, statSync } from 'node:fs';
import { appendFile, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EvidenceControl } from '../../api/index.js';
import type { SensorReport } from '../../bus/index.js';
import { AppError } from '../../util/errors.js';
import type { Logger } from '../../util/logger.js';
import { writePacketIndex } from '../packets/packet-index.js';
import { readPacket, readPacketPage } from '../packets/reader.js';

type Evidence = Extract<SensorReport, { type: 'evidence' }>;

const PCAP_HEADER_BYTES = 24;
const SNAP_LEN = 262_144;
/** Bytes of one alert; an attacker who triggers an alert again and again fills no more. */
const MAX_ALERT_BYTES = 512 * 1024;
const MAX_KNOWN = 20_000;
/** Packets may come before the alert has been made of their detection. */
const JUDGED_WITHIN_MS = 100;

/** Packets around alerts, one pcap an alert in `data_dir/evidence`, within a budget: the oldest go first. */
export interface EvidenceStore {
  control: EvidenceControl;
  /** Which alert a detection became part of. */
  link(detectionId: string, alertId: string): void;
  add(evidence: Evidence): void;
  stats(): Record<string, number>;
}

function pcapHeader(linkType: number): Buffer {
  const header = Buffer.alloc(PCAP_HEADER_BYTES);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(SNAP_LEN, 16);
  header.writeUInt32LE(linkType, 20);
  return header;
}

function pcapRecord({ tsUs, wireLen, data }: Evidence['packets'][number]): Buffer {
  const bytes = Buffer.from(data, 'base64');
  const record = Buffer.alloc(16 + bytes.length);
  record.writeUInt32LE(Math.floor(tsUs / 1e6) >>> 0, 0);
  record.writeUInt32LE(Math.floor(tsUs % 1e6), 4);
  record.writeUInt32LE(bytes.length, 8);
  record.writeUInt32LE(Math.max(wireLen, bytes.length), 12);
  bytes.copy(record, 16);
  return record;
}

export function createEvidenceStore(dir: string, budgetBytes: number, log: Logger): EvidenceStore {
  const alertOf = new Map<string, string>();
  /** Bytes by alert, oldest first. */
  const sizes = new Map<string, number>();
  let total = 0;
  let writing: Promise<void> = Promise.resolve();
  const pathOf = (id: string): string => join(dir, `${id}.pcap`);
  const indexOf = (id: string): string => join(dir, `${id}.index`);

  const found = (existsSync(dir) ? readdirSync(dir) : [])
    .filter((name) => name.endsWith('.pcap'))
    .map((name) => ({ id: name.slice(0, -5), stat: statSync(join(dir, name)) }));
  for (const { id, stat: s } of found.sort((a, b) => a.stat.mtimeMs - b.stat.mtimeMs)) {
    sizes.set(id, s.size);
    total += s.size;
  }

  async function drop(id: string): Promise<void> {
    total -= sizes.get(id) ?? 0;
    sizes.delete(id);
    await rm(pathOf(id), { force: true });
    await rm(indexOf(id), { force: true });
  }

  async function write(id: string, { linkType, packets }: Evidence): Promise<void> {
    const before = sizes.get(id) ?? 0;
    const bytes = Buffer.concat([...(before === 0 ? [pcapHeader(linkType)] : []), ...packets.map(pcapRecord)]);
    if (before + bytes.length > MAX_ALERT_BYTES) return;
    await mkdir(dir, { recursive: true, mode: 0o750 });
    if (before === 0) await writeFile(pathOf(id), bytes, { mode: 0o640 });
    else await appendFile(pathOf(id), bytes);
    sizes.delete(id);
    sizes.set(id, before + bytes.length);
    total += bytes.length;
    for (const oldest of sizes.keys()) {
      if (total <= budgetBytes) break;
      await drop(oldest);
    }
  }

  /** The index is made when somebody looks, and again when packets have come since. */
  async function indexed(id: string): Promise<boolean> {
    if (!sizes.has(id)) return false;
    const [capture, index] = [await stat(pathOf(id)), await stat(indexOf(id)).catch(() => undefined)];
    if (!index || index.mtimeMs < capture.mtimeMs) await writePacketIndex(pathOf(id), indexOf(id));
    return true;
  }

  return {
    link(detectionId, alertId) {
      if (alertOf.size >= MAX_KNOWN) {
        const oldest = alertOf.keys().next().value;
        if (oldest !== undefined) alertOf.delete(oldest);
      }
      alertOf.set(detectionId, alertId);
    },
    add(evidence) {
      writing = writing
        .then(async () => {
          if (!alertOf.has(evidence.detectionId)) await new Promise((resolve) => setTimeout(resolve, JUDGED_WITHIN_MS));
          const id = alertOf.get(evidence.detectionId);
          if (id !== undefined) await write(id, evidence);
        })
        .catch((error: unknown) => {
          log.error({ err: error }, 'Packets of an alert were not kept.');
        });
    },
    control: {
      async packets(id, query) {
        await writing;
        if (!(await indexed(id))) return { items: [], nextCursor: null, total: 0 };
        return readPacketPage(pathOf(id), indexOf(id), query);
      },
      async packet(id, number) {
        await writing;
        const packet = (await indexed(id)) ? await readPacket(pathOf(id), indexOf(id), number) : undefined;
        if (packet) return packet;
        throw new AppError({ kind: 'user', code: 'evidence.not_found', message: 'No such packet was kept.' });
      },
      async pcap(id) {
        await writing;
        return sizes.has(id) ? readFile(pathOf(id)) : undefined;
      },
    },
    stats: () => ({ evidence_alerts: sizes.size, evidence_bytes: total }),
  };
}
