import type { FileHandle } from 'node:fs/promises';
import type { PacketDetail, PacketPage, PacketQuery, PacketSummary } from '../../contract/http.js';
import { createPacketDescriber } from './describe.js';
import { parsePacketFilter } from './filter.js';
import { countPlaces, readPlaces, withFile, type PacketPlace } from './packet-index.js';

/** Packets looked at for one page while a filter finds nothing: about 20 ms of work. */
const MAX_LOOKED_AT = 10_000;
const BATCH = 500;
/** Other blocks of a pcapng file may lie between packets: past this they are not read along. */
const MAX_SPAN_BYTES = 16 << 20;

async function bytesOf(capture: FileHandle, { offset, capLen }: PacketPlace): Promise<Uint8Array> {
  const bytes = new Uint8Array(capLen);
  const { bytesRead } = await capture.read(bytes, 0, capLen, offset);
  return bytes.subarray(0, bytesRead);
}

/** Reads the bytes of neighbouring packets at once. */
async function bytesOfMany(capture: FileHandle, places: readonly PacketPlace[]): Promise<Uint8Array[]> {
  const [first, last] = [places[0], places.at(-1)];
  if (!first || !last) return [];
  if (last.offset + last.capLen - first.offset > MAX_SPAN_BYTES) {
    return Promise.all(places.map((place) => bytesOf(capture, place)));
  }
  const span = new Uint8Array(last.offset + last.capLen - first.offset);
  const { bytesRead } = await capture.read(span, 0, span.length, first.offset);
  return places.map((p) => {
    const at = p.offset - first.offset;
    return span.slice(Math.min(at, bytesRead), Math.min(at + p.capLen, bytesRead));
  });
}

/** One page of the packets of a capture that has an index. @throws AppError search.invalid */
export function readPacketPage(capturePath: string, indexPath: string, query: PacketQuery): Promise<PacketPage> {
  const matches = parsePacketFilter(query.q ?? '');
  const describer = createPacketDescriber();
  return withFile(indexPath, (index) =>
    withFile(capturePath, async (capture) => {
      const total = await countPlaces(index);
      const start = Number(query.cursor ?? 0);
      const items: PacketSummary[] = [];
      let at = start;
      while (at < total && items.length < query.limit && at - start < MAX_LOOKED_AT) {
        const places = await readPlaces(index, at, Math.min(BATCH, query.q ? BATCH : query.limit - items.length));
        if (places.length === 0) break;
        const bytes = await bytesOfMany(capture, places);
        for (const [i, place] of places.entries()) {
          at++;
          const summary = describer.summary(bytes[i] ?? new Uint8Array(0), place, at);
          if (matches(summary) && items.push(summary) === query.limit) break;
        }
      }
      return { items, nextCursor: at < total ? String(at) : null, total };
    }),
  );
}

/** One packet with its bytes. @param number from 1. @returns undefined past the end. */
export function readPacket(capturePath: string, indexPath: string, number: number): Promise<PacketDetail | undefined> {
  return withFile(indexPath, (index) =>
    withFile(capturePath, async (capture) => {
      const [place] = await readPlaces(index, number - 1, 1);
      if (!place) return undefined;
      return createPacketDescriber().detail(await bytesOf(capture, place), place, number);
    }),
  );
}
