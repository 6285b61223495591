import { createWriteStream } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { finished } from 'node:stream/promises';
import { locatePackets } from '../../capture/index.js';

/** Where a packet lies in its capture file. */
export interface PacketPlace {
  offset: number;
  tsUs: number;
  capLen: number;
  wireLen: number;
  linkType: number;
}

/** What a walk through a capture found. */
export interface CaptureFacts {
  packets: number;
  /** Microseconds since the epoch; 0 without packets. */
  firstUs: number;
  lastUs: number;
}

export const PLACE_BYTES = 28;
const BATCH_BYTES = PLACE_BYTES * 8192;

function writePlace(view: DataView, at: number, place: PacketPlace): void {
  view.setFloat64(at, place.offset, true);
  view.setFloat64(at + 8, place.tsUs, true);
  view.setUint32(at + 16, place.capLen, true);
  view.setUint32(at + 20, place.wireLen, true);
  view.setUint32(at + 24, place.linkType, true);
}

function readPlace(view: DataView, at: number): PacketPlace {
  return {
    offset: view.getFloat64(at, true),
    tsUs: view.getFloat64(at + 8, true),
    capLen: view.getUint32(at + 16, true),
    wireLen: view.getUint32(at + 20, true),
    linkType: view.getUint32(at + 24, true),
  };
}

/**
 * Writes the index of a capture: one record of {@link PLACE_BYTES} bytes a packet, so that any page of a large capture is
 * one short read.
 * @throws AppError capture.*; a capture that breaks off keeps the packets before the damage.
 */
export async function writePacketIndex(capturePath: string, indexPath: string): Promise<CaptureFacts> {
  const facts: CaptureFacts = { packets: 0, firstUs: 0, lastUs: 0 };
  const out = createWriteStream(indexPath, { mode: 0o640 });
  let batch = new Uint8Array(BATCH_BYTES);
  let view = new DataView(batch.buffer);
  let used = 0;
  try {
    await locatePackets(capturePath, (offset, block, i) => {
      const tsUs = block.tsUs[i]!;
      writePlace(view, used, {
        offset,
        tsUs,
        capLen: block.capLen[i]!,
        wireLen: block.wireLen[i]!,
        linkType: block.linkType,
      });
      used += PLACE_BYTES;
      if (facts.packets++ === 0) facts.firstUs = tsUs;
      facts.firstUs = Math.min(facts.firstUs, tsUs);
      facts.lastUs = Math.max(facts.lastUs, tsUs);
      if (used === BATCH_BYTES) {
        out.write(batch);
        batch = new Uint8Array(BATCH_BYTES);
        view = new DataView(batch.buffer);
        used = 0;
      }
    });
  } finally {
    out.end(batch.subarray(0, used));
    await finished(out);
  }
  return facts;
}

/** Reads places `from .. from + count` (0-based) of an index; fewer at its end. */
export async function readPlaces(index: FileHandle, from: number, count: number): Promise<PacketPlace[]> {
  const bytes = new Uint8Array(count * PLACE_BYTES);
  const { bytesRead } = await index.read(bytes, 0, bytes.length, from * PLACE_BYTES);
  const view = new DataView(bytes.buffer);
  return Array.from({ length: Math.floor(bytesRead / PLACE_BYTES) }, (_, i) => readPlace(view, i * PLACE_BYTES));
}

/** Packets in an index. */
export async function countPlaces(index: FileHandle): Promise<number> {
  return Math.floor((await index.stat()).size / PLACE_BYTES);
}

/** Runs a task with a file open. */
export async function withFile<T>(path: string, task: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(path, 'r');
  try {
    return await task(file);
  } finally {
    await file.close();
  }
}
