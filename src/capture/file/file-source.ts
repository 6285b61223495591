import { readSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { PacketBlock } from '../../domain/packet.js';
import { errorCode } from '../../util/errors.js';
import { unreadableFile } from '../errors.js';
import type { PacketSource } from '../source.js';
import { CaptureStream } from './stream.js';

const READ_BYTES = 1 << 20;
/** Of a regular file: read by the thread that decodes it, so little that it finds the bytes in its core's cache. */
const DIRECT_BYTES = 1 << 18;

/**
 * A pcap or pcapng file as a packet source; reads as fast as the consumer takes it, and lets others work after every MiB.
 * @throws AppError when the file cannot be opened; content errors come from `run`, after the last good packet. The file is
 * closed when `run` ends.
 */
export async function openFileSource(path: string): Promise<PacketSource> {
  const handle = await openFile(path);
  let stream: CaptureStream | undefined;
  let closed = false;
  const close = (): void => {
    if (closed) return;
    closed = true;
    handle.close().catch(() => undefined);
  };
  return {
    name: path,
    async run(onBlock, signal) {
      const input = (stream = new CaptureStream(path, onBlock));
      const isRegular = (await handle.stat()).isFile();
      try {
        for (let n = 1; !signal.aborted && !closed; n++) {
          if (isRegular && n % (READ_BYTES / DIRECT_BYTES) === 0) await nextTurn();
          const bytes = isRegular
            ? readDirectly(handle, input.space.subarray(0, DIRECT_BYTES), path)
            : await readNext(handle, input.space.subarray(0, READ_BYTES), path);
          if (bytes === 0) {
            input.end();
            return;
          }
          input.commit(bytes);
        }
      } finally {
        close();
      }
    },
    stats: () => ({ packets: 0, bytes: 0, kernelDrops: 0, reopens: 0, dropsKnown: false, ...stream?.stats }),
    close,
  };
}

/**
 * Reads a capture file and says where in it each packet's bytes lie.
 * @throws AppError capture.*, after the last good packet.
 */
export async function locatePackets(
  path: string,
  onPacket: (fileOffset: number, block: PacketBlock, i: number) => void,
): Promise<void> {
  const handle = await openFile(path);
  try {
    const stream: CaptureStream = new CaptureStream(path, (block) => {
      for (let i = 0; i < block.count; i++) onPacket(stream.streamOffset + block.offset[i]!, block, i);
    });
    for (;;) {
      const bytes = await readNext(handle, stream.space.subarray(0, READ_BYTES), path);
      if (bytes === 0) {
        stream.end();
        return;
      }
      stream.commit(bytes);
    }
  } finally {
    await handle.close().catch(() => undefined);
  }
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    const handle = await open(path, 'r');
    if ((await handle.stat()).isDirectory()) {
      await handle.close();
      throw unreadableFile(path, 'EISDIR', undefined);
    }
    return handle;
  } catch (error) {
    const code = errorCode(error);
    throw code.startsWith('capture.') ? error : unreadableFile(path, code, error);
  }
}

function readDirectly(handle: FileHandle, into: Uint8Array, path: string): number {
  try {
    return readSync(handle.fd, into, 0, into.length, null);
  } catch (error) {
    throw unreadableFile(path, errorCode(error), error);
  }
}

async function readNext(handle: FileHandle, into: Uint8Array, path: string): Promise<number> {
  try {
    return (await handle.read(into, 0, into.length, null)).bytesRead;
  } catch (error) {
    throw unreadableFile(path, errorCode(error), error);
  }
}
