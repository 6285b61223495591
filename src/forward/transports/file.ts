import { open, readdir, rename, stat, unlink, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errorMessage } from '../../util/errors.js';
import type { DestinationSettings } from '../settings.js';
import { Recorder } from './recorder.js';
import { DeliveryError, type Exchange, type Message, type Rejected, type Transport } from './transport.js';

const TAIL_BYTES = 1024 * 1024;

/**
 * One line an event, appended to a file. Starts a new file at a size, keeps so many old ones, and opens its path anew
 * on a signal or when the file was moved away (logrotate). A line that was cut off by a crash is removed.
 */
export class FileTransport implements Transport {
  readonly policy = { maxEvents: 1000, maxMs: 200, idleMs: 0 };
  readonly lingerMs = 0;
  readonly overheadBytes = 1;
  readonly guarantee = 'at-least-once';
  readonly warning = '';
  private readonly settings: DestinationSettings;
  private readonly recorder: Recorder;
  private file: { handle: FileHandle; inode: number; size: number } | undefined;
  private reopenWanted = false;
  private readonly onSignal = (): void => {
    this.reopenWanted = true;
  };

  constructor(settings: DestinationSettings, deps: { record: boolean }) {
    this.settings = settings;
    this.recorder = new Recorder(deps.record);
    const signal = settings.options.reopen_signal;
    if (signal !== 'none') process.on(signal, this.onSignal);
  }

  async write(messages: readonly Message[]): Promise<void> {
    try {
      const text = messages.map((message) => `${message.body}\n`).join('');
      const file = await this.current(text.length);
      await this.append(file, Buffer.from(text));
      this.recorder.recordSent(text);
    } catch (error) {
      throw new DeliveryError('retry', errorMessage(error));
    }
  }

  async confirm(): Promise<Rejected[]> {
    try {
      await this.file?.handle.datasync();
    } catch (error) {
      throw new DeliveryError('retry', errorMessage(error));
    }
    this.recorder.recordAnswer(`on disk: ${this.settings.path}`);
    return [];
  }

  reset(): void {
    void this.closeFile();
  }

  async close(): Promise<void> {
    const signal = this.settings.options.reopen_signal;
    if (signal !== 'none') process.off(signal, this.onSignal);
    await this.closeFile();
  }

  exchange(): Exchange {
    return this.recorder.exchange();
  }

  private async append(file: { handle: FileHandle; size: number }, bytes: Buffer): Promise<void> {
    try {
      let done = 0;
      while (done < bytes.length) done += (await file.handle.write(bytes, done)).bytesWritten;
      file.size += bytes.length;
    } catch (error) {
      await file.handle.truncate(file.size).catch(() => undefined);
      throw error;
    }
  }

  private async current(addBytes: number): Promise<{ handle: FileHandle; inode: number; size: number }> {
    const { path, options } = this.settings;
    if (this.file && (this.reopenWanted || (await inodeOf(path)) !== this.file.inode)) await this.closeFile();
    this.reopenWanted = false;
    this.file ??= await this.openFile();
    if (this.file.size > 0 && this.file.size + addBytes > options.rotate_bytes) {
      await this.closeFile();
      await this.rotate();
      this.file = await this.openFile();
    }
    return this.file;
  }

  private async openFile(): Promise<{ handle: FileHandle; inode: number; size: number }> {
    const { path } = this.settings;
    await cutPartialLine(path);
    const handle = await open(path, 'a', 0o640);
    const info = await handle.stat();
    return { handle, inode: info.ino, size: info.size };
  }

  private async closeFile(): Promise<void> {
    const file = this.file;
    this.file = undefined;
    await file?.handle.close().catch(() => undefined);
  }

  /** `eve.json` becomes `eve.json.<time>`; the oldest ones above the limit go. */
  private async rotate(): Promise<void> {
    const { path, options } = this.settings;
    const stamp = new Date().toISOString().replace(/[-:]/g, '');
    await rename(path, `${path}.${stamp}`);
    const dir = dirname(path);
    const prefix = `${basename(path)}.`;
    const old = (await readdir(dir)).filter((name) => name.startsWith(prefix) && /\d{8}T[\d.]+Z$/.test(name)).sort();
    for (const name of old.slice(0, Math.max(0, old.length - options.keep_files))) await unlink(join(dir, name));
  }
}

async function inodeOf(path: string): Promise<number> {
  return stat(path).then(
    (info) => info.ino,
    () => -1,
  );
}

/** Removes a last line without a line end: what a crash in the middle of a write leaves. */
async function cutPartialLine(path: string): Promise<void> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'r+');
  } catch {
    return;
  }
  try {
    const { size } = await handle.stat();
    const start = Math.max(0, size - TAIL_BYTES);
    const tail = Buffer.alloc(size - start);
    await handle.read(tail, 0, tail.length, start);
    if (size > 0 && tail[tail.length - 1] !== 10) await handle.truncate(start + tail.lastIndexOf(10) + 1);
  } finally {
    await handle.close();
  }
}
