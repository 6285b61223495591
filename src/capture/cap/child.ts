import { Buffer } from 'node:buffer';
import { nowUs } from '../../util/clock.js';
import { errorMessage } from '../../util/errors.js';
import { loadCap } from './binding.js';
import type { CapMessage } from './messages.js';

/*
 * The process that npm `cap` runs in: it writes what it captures to standard output as a pcap stream with nanosecond
 * timestamps. Of its own, since the addon ends its process when the interface goes down, and is not made to be loaded
 * twice in one.
 */

const FRAME_BYTES = 65536;
const FLUSH_BYTES = 256 * 1024;
/** Packets are dropped, and counted, when the reader is this far behind. */
const MAX_BACKLOG_BYTES = 64 * 1024 * 1024;
const HEADER_BYTES = 24;
const RECORD_BYTES = 16;

interface ChildOptions {
  interface: string;
  filter: string;
  bufferMiB: number;
}

const tell = (message: CapMessage): void => void process.send?.(message);

function capture(options: ChildOptions): void {
  const frame = Buffer.alloc(FRAME_BYTES);
  const handle = new (loadCap().Cap)();
  const linkName = handle.open(options.interface, options.filter, options.bufferMiB << 20, frame);
  handle.setMinBytes?.(0);
  tell({ kind: 'open', linkName });

  let out = Buffer.allocUnsafe(FLUSH_BYTES + FRAME_BYTES + RECORD_BYTES);
  let used = 0;
  let dropped = 0;
  let told = 0;
  const flush = (): void => {
    if (used === 0) return;
    process.stdout.write(out.subarray(0, used));
    // The stream keeps the old one until it is written.
    out = Buffer.allocUnsafe(out.length);
    used = 0;
  };
  let isScheduled = false;
  handle.on('packet', (bytes) => {
    if (process.stdout.writableLength > MAX_BACKLOG_BYTES) {
      dropped++;
      return;
    }
    const us = nowUs();
    const secs = Math.floor(us / 1e6);
    out.writeUInt32LE(secs, used);
    out.writeUInt32LE(Math.floor((us - secs * 1e6) * 1000), used + 4);
    out.writeUInt32LE(bytes, used + 8);
    out.writeUInt32LE(bytes, used + 12);
    frame.copy(out, used + RECORD_BYTES, 0, bytes);
    used += RECORD_BYTES + bytes;
    if (used >= FLUSH_BYTES) flush();
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(() => {
      isScheduled = false;
      flush();
    });
  });
  writeHeader();
  setInterval(() => {
    if (dropped !== told) tell({ kind: 'dropped', packets: (told = dropped) });
  }, 500);
}

/** A pcap file header; the link type is told beside it. */
function writeHeader(): void {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(0xa1b23c4d, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(FRAME_BYTES, 16);
  process.stdout.write(header);
}

process.on('disconnect', () => process.exit(0));
process.stdout.on('error', () => process.exit(0));
try {
  capture(JSON.parse(process.argv[2] ?? '{}') as ChildOptions);
} catch (error) {
  tell({ kind: 'error', message: errorMessage(error) });
  process.disconnect();
}
