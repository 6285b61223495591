import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { openFileSource, openPipeSource, type PacketSource } from '../../../src/capture/index.js';
import { AppError } from '../../../src/util/errors.js';

export interface SeenPacket {
  tsUs: number;
  wireLen: number;
  linkType: number;
  interfaceId: number;
  text: string;
}

export interface Outcome {
  packets: SeenPacket[];
  blocks: number;
  /** Code of the AppError the source ended with, or ''. */
  code: string;
  message: string;
  fix: string;
}

export async function readAll(source: PacketSource, signal = new AbortController().signal): Promise<Outcome> {
  const out: Outcome = { packets: [], blocks: 0, code: '', message: '', fix: '' };
  try {
    await source.run((block) => {
      out.blocks++;
      for (let i = 0; i < block.count; i++) {
        const at = block.offset[i]!;
        if (at < 0 || at + block.capLen[i]! > block.data.length) throw new Error('a packet outside its block');
        out.packets.push({
          tsUs: block.tsUs[i]!,
          wireLen: block.wireLen[i]!,
          linkType: block.linkType,
          interfaceId: block.interfaceId,
          text: Buffer.from(block.data.subarray(at, at + block.capLen[i]!)).toString('latin1'),
        });
      }
    }, signal);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    Object.assign(out, { code: error.code, message: error.message, fix: error.fix ?? '' });
  } finally {
    source.close();
  }
  return out;
}

/** Reads bytes through a file; the file is gone afterwards. */
export async function readBytes(bytes: Uint8Array): Promise<Outcome> {
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-capture-'));
  try {
    const path = join(dir, 'test.pcap');
    writeFileSync(path, bytes);
    return await readAll(await openFileSource(path));
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** Reads bytes through a stream that brings them in pieces of the given sizes, over and over. */
export async function readPieces(bytes: Uint8Array, sizes: readonly number[]): Promise<Outcome> {
  const pieces: Buffer[] = [];
  for (let at = 0, n = 0; at < bytes.length; n++) {
    const size = sizes[n % sizes.length] ?? bytes.length;
    pieces.push(Buffer.from(bytes.subarray(at, at + size)));
    at += size;
  }
  return readAll(await openPipeSource(Readable.from(pieces)));
}
