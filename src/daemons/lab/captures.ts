import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, open, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createReadStream } from 'node:fs';
import type { Capture, FileAnswer, PacketDetail, PacketPage, PacketQuery } from '../../contract/http.js';
import { AppError } from '../../util/errors.js';
import { uuid7 } from '../../util/uuid7.js';
import { readPacket, readPacketPage } from '../packets/reader.js';
import type { LabOptions } from './options.js';
import { runChild } from './run-child.js';

const INDEX_TIMEOUT_MS = 300_000;
const INDEX_HEAP_MIB = 256;
const PCAPNG_MAGIC = '0a0d0d0a';

/** Uploaded captures: a folder with the file as it came, its packet index and its facts. */
export interface CaptureLibrary {
  /** Newest first. */
  list(): Capture[];
  get(id: string): Capture;
  path(id: string): string;
  add(name: string, user: string, bytes: AsyncIterable<Uint8Array>): Promise<Capture>;
  remove(id: string): Promise<void>;
  file(id: string): FileAnswer;
  packets(id: string, query: PacketQuery): Promise<PacketPage>;
  packet(id: string, number: number): Promise<PacketDetail>;
  /** Removes what is older than its time. @returns ids removed. */
  expire(nowMs: number): Promise<string[]>;
}

const missing = (what: string): AppError =>
  new AppError({ kind: 'user', code: 'lab.not_found', message: `There is no such ${what}.` });

export function createCaptureLibrary(dir: string, options: LabOptions): CaptureLibrary {
  const captures = new Map<string, Capture>();
  const pathOf = (id: string): string => join(dir, `${id}.capture`);
  const indexOf = (id: string): string => join(dir, `${id}.index`);
  const factsOf = (id: string): string => join(dir, `${id}.json`);
  /** Bytes of uploads that are still coming. */
  let arriving = 0;

  if (existsSync(dir)) {
    for (const name of readdirSync(dir)
      .filter((file) => file.endsWith('.json'))
      .sort()) {
      const capture = JSON.parse(readFileSync(join(dir, name), 'utf8')) as Capture;
      if (existsSync(pathOf(capture.id))) captures.set(capture.id, capture);
    }
  }

  function get(id: string): Capture {
    const found = captures.get(id);
    if (!found) throw missing('capture');
    return found;
  }

  function refuse(message: string): AppError {
    return new AppError({
      kind: 'user',
      code: 'lab.full',
      message,
      fix: 'Remove captures, or raise the limits under lab.',
    });
  }

  function makeRoom(bytes: number): void {
    const kept = [...captures.values()].reduce((sum, capture) => sum + capture.bytes, 0);
    if (captures.size >= options.max_captures) throw refuse(`There are ${captures.size} captures already.`);
    if (kept + arriving + bytes > options.max_bytes) throw refuse('The captures together would be too large.');
  }

  async function receive(path: string, bytes: AsyncIterable<Uint8Array>) {
    const hash = createHash('sha256');
    const file = await open(path, 'wx', 0o640);
    let size = 0;
    let head = Buffer.alloc(0);
    try {
      for await (const chunk of bytes) {
        makeRoom(chunk.length);
        arriving += chunk.length;
        size += chunk.length;
        hash.update(chunk);
        if (head.length < 4) head = Buffer.concat([head, chunk.subarray(0, 4 - head.length)]);
        await file.writeFile(chunk);
      }
      return { size, sha256: hash.digest('hex'), magic: head.toString('hex') };
    } finally {
      arriving -= size;
      await file.close();
    }
  }

  async function remove(id: string): Promise<void> {
    captures.delete(id);
    for (const path of [factsOf(id), indexOf(id), pathOf(id)]) await rm(path, { force: true });
  }

  return {
    list: () => [...captures.values()].reverse(),
    get,
    path: (id) => pathOf(get(id).id),
    async add(name, user, bytes) {
      makeRoom(0);
      await mkdir(dir, { recursive: true, mode: 0o750 });
      const id = uuid7();
      const part = join(dir, `${id}.part`);
      try {
        const { size, sha256, magic } = await receive(part, bytes);
        const options = { timeoutMs: INDEX_TIMEOUT_MS, heapMib: INDEX_HEAP_MIB };
        const answer = await runChild({ op: 'index', capture: part, index: indexOf(id) }, options);
        if (answer.op !== 'indexed') throw new AppError({ kind: 'bug', code: 'lab.failed', message: 'wrong answer' });
        const format = magic === PCAPNG_MAGIC ? 'pcapng' : 'pcap';
        const createdMs = Date.now();
        const capture: Capture = { id, name, format, bytes: size, sha256, ...answer.facts, user, createdMs };
        await rename(part, pathOf(id));
        await writeFile(factsOf(id), JSON.stringify(capture), { mode: 0o640 });
        captures.set(id, capture);
        return capture;
      } catch (error) {
        for (const path of [part, indexOf(id), pathOf(id), factsOf(id)]) await rm(path, { force: true });
        throw plain(error, part, name);
      }
    },
    async remove(id) {
      await remove(get(id).id);
    },
    file(id) {
      const capture = get(id);
      const type = capture.format === 'pcap' ? 'application/vnd.tcpdump.pcap' : 'application/octet-stream';
      return { name: capture.name, type, body: createReadStream(pathOf(id)) as AsyncIterable<Uint8Array> };
    },
    async packets(id, query) {
      const { packets } = get(id);
      if (packets === 0) return { items: [], nextCursor: null, total: 0 };
      return readPacketPage(pathOf(id), indexOf(id), query);
    },
    async packet(id, number) {
      const found = await readPacket(pathOf(get(id).id), indexOf(id), number);
      if (!found) throw missing('packet');
      return found;
    },
    async expire(nowMs) {
      if (options.keep_days === 0) return [];
      const oldest = nowMs - options.keep_days * 86_400_000;
      const old = [...captures.values()].filter((capture) => capture.createdMs < oldest).map(({ id }) => id);
      for (const id of old) await remove(id);
      for (const name of existsSync(dir) ? readdirSync(dir) : []) {
        const path = join(dir, name);
        if (name.endsWith('.part') && (await stat(path)).mtimeMs < nowMs - 86_400_000) await rm(path, { force: true });
      }
      return old;
    },
  };
}

/** People know the file under the name they gave it; where it lies here is our business. */
function plain(error: unknown, path: string, name: string): unknown {
  if (!(error instanceof AppError) || !error.message.includes(path)) return error;
  const { kind, code, message, fix, context } = error;
  return new AppError({
    ...{ kind, code, context, cause: error },
    message: message.replaceAll(path, name),
    ...(fix === undefined ? {} : { fix }),
  });
}
