import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import type { PacketBlock } from '../../domain/packet.js';
import { AppError, errorCode } from '../../util/errors.js';
import { PCAP_HEADER_BYTES } from './pcap.js';

const BUFFER_BYTES = 1 << 20;
const RECORD_HEADER_BYTES = 16;
const SNAP_LEN = 262144;

export interface PcapWriterOptions {
  /** Nanosecond timestamps (magic 0xa1b23c4d); microseconds unless set. */
  nanoseconds?: boolean;
}

/** Writes packets into a pcap file in this machine's byte order. */
export interface PcapWriter {
  readonly packets: number;
  /** Appends packet `i` of a block. */
  write(block: PacketBlock, i: number): void;
  /** Appends one frame. @param wireLen bytes it had on the wire, at least `frame.length`. */
  writeFrame(frame: Uint8Array, tsUs: number, wireLen?: number): void;
  /** Hands everything so far to the operating system. */
  flush(): void;
  close(): void;
}

/**
 * Creates a capture file. Whole records only: when the disk is full, the file keeps the packets that fit.
 * @throws AppError `capture.write_failed`.
 */
export function openPcapWriter(path: string, linkType: number, options: PcapWriterOptions = {}): PcapWriter {
  const buffer = new Uint8Array(BUFFER_BYTES);
  const view = new DataView(buffer.buffer);
  const ticksPerUs = options.nanoseconds === true ? 1000 : 1;
  let fd = attempt(path, () => openSync(path, 'w'));
  let used = 0;
  let written = 0;
  let packets = 0;

  const flush = (): void => {
    let done = 0;
    try {
      while (done < used) done += writeSync(fd, buffer, done, used - done);
    } catch (error) {
      dropPartialRecord(fd, written);
      throw writeFailed(path, error);
    } finally {
      used = 0;
    }
    written += done;
  };

  const writeFrame = (frame: Uint8Array, tsUs: number, wireLen = frame.length): void => {
    const capLen = Math.min(frame.length, SNAP_LEN);
    if (used + RECORD_HEADER_BYTES + capLen > BUFFER_BYTES) flush();
    const secs = Math.floor(tsUs / 1e6);
    view.setUint32(used, secs, true);
    view.setUint32(used + 4, Math.floor((tsUs - secs * 1e6) * ticksPerUs), true);
    view.setUint32(used + 8, capLen, true);
    view.setUint32(used + 12, wireLen, true);
    buffer.set(capLen === frame.length ? frame : frame.subarray(0, capLen), used + RECORD_HEADER_BYTES);
    used += RECORD_HEADER_BYTES + capLen;
    packets++;
  };

  view.setUint32(0, options.nanoseconds === true ? 0xa1b23c4d : 0xa1b2c3d4, true);
  view.setUint16(4, 2, true);
  view.setUint16(6, 4, true);
  view.setUint32(16, SNAP_LEN, true);
  view.setUint32(20, linkType, true);
  used = PCAP_HEADER_BYTES;

  return {
    get packets() {
      return packets;
    },
    write(block, i) {
      const at = block.offset[i]!;
      writeFrame(block.data.subarray(at, at + block.capLen[i]!), block.tsUs[i]!, block.wireLen[i]!);
    },
    writeFrame,
    flush,
    close() {
      if (fd < 0) return;
      try {
        flush();
      } finally {
        closeSync(fd);
        fd = -1;
      }
    },
  };
}

/** Only regular files can be cut; on anything else nothing is left behind anyway. */
function dropPartialRecord(fd: number, wholeBytes: number): void {
  try {
    ftruncateSync(fd, wholeBytes);
  } catch {
    // A pipe or a device.
  }
}

function attempt<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw writeFailed(path, error);
  }
}

function writeFailed(path: string, cause: unknown): AppError {
  const code = errorCode(cause);
  return new AppError({
    kind: 'operational',
    code: 'capture.write_failed',
    message: `${path} cannot be written (${code}).`,
    fix:
      code === 'ENOSPC'
        ? 'Free space on the disk; the packets so far are kept.'
        : 'Check the path and its permissions.',
    context: { path },
    cause,
  });
}
