import { mkdir, open, readFile, rename, stat, writeFile, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { errorCode, errorMessage } from '../../util/errors.js';
import { MessageSplitter } from '../lines.js';
import type { Intake, Source } from '../source.js';

export interface FileSourceOptions {
  path: string;
  /** Where the place reached is kept. */
  statePath: string;
  maxLineBytes: number;
}

const POLL_MS = 100;
const SAVE_MS = 1000;
const CHUNK_BYTES = 64 * 1024;

const placeSchema = z.object({ inode: z.number(), offset: z.number() });
type Place = z.infer<typeof placeSchema>;

/**
 * Follows a growing file through rotation (moved away or cut to nothing) and restarts: the place reached is kept on
 * disk, whole lines only. Without a kept place it begins at the end: history is not news.
 */
export async function openFileSource(options: FileSourceOptions, intake: Intake): Promise<Source> {
  const abort = new AbortController();
  const follower = new Follower(options, intake, abort.signal);
  await follower.begin();
  const running = follower.run();
  return {
    problem: () => follower.problem,
    refused: () => 0,
    async close() {
      abort.abort();
      await running;
    },
  };
}

class Follower {
  problem = '';
  private readonly options: FileSourceOptions;
  private readonly intake: Intake;
  private readonly signal: AbortSignal;
  private readonly splitter: MessageSplitter;
  private file: { handle: FileHandle; inode: number; offset: number } | undefined;
  private savedAtMs = 0;
  private saved = '';
  private readonly buffer = Buffer.allocUnsafe(CHUNK_BYTES);

  constructor(options: FileSourceOptions, intake: Intake, signal: AbortSignal) {
    this.options = options;
    this.intake = intake;
    this.signal = signal;
    this.splitter = this.newSplitter();
  }

  /** Opens the file where the last run left off, or at its end. One that is not there yet is read from its start. */
  async begin(): Promise<void> {
    try {
      await this.openFile(await this.loadPlace(), true);
    } catch (error) {
      this.failed(error);
    }
  }

  async run(): Promise<void> {
    while (!this.signal.aborted) {
      try {
        if (!this.file) await this.openFile(undefined, false);
        while (await this.readSome());
        if (await this.wasReplaced()) continue;
        this.tell('');
        await this.save(false);
      } catch (error) {
        await this.closeFile();
        this.failed(error);
      }
      await this.pause();
    }
    await this.save(true);
    await this.closeFile();
  }

  private failed(error: unknown): void {
    const { path } = this.options;
    this.tell(errorCode(error) === 'ENOENT' ? `${path} is not there yet` : `cannot read: ${errorMessage(error)}`);
  }

  private newSplitter(): MessageSplitter {
    return new MessageSplitter(this.options.maxLineBytes, false, {
      line: (text) => this.intake.line(text, ''),
      tooLong: () => this.intake.tooLong(),
    });
  }

  private async openFile(place: Place | undefined, atEnd: boolean): Promise<void> {
    const handle = await open(this.options.path, 'r');
    const { ino, size } = await handle.stat();
    const isSame = place !== undefined && place.inode === ino && place.offset <= size;
    this.file = { handle, inode: ino, offset: isSame ? place.offset : atEnd ? size : 0 };
  }

  /** @returns true when there may be more. */
  private async readSome(): Promise<boolean> {
    const file = this.file!;
    await this.intake.ready();
    if (this.signal.aborted) return false;
    const { bytesRead } = await file.handle.read(this.buffer, 0, CHUNK_BYTES, file.offset);
    if (bytesRead === 0) return false;
    file.offset += bytesRead;
    this.splitter.push(Buffer.from(this.buffer.subarray(0, bytesRead)));
    return true;
  }

  /** Another file has the name now, or this one was cut: the old one is read to its end by then. */
  private async wasReplaced(): Promise<boolean> {
    const file = this.file!;
    const named = await stat(this.options.path).catch(() => undefined);
    if (named && named.ino === file.inode) {
      if (named.size >= file.offset) return false;
      file.offset = 0;
      return true;
    }
    if (!named) return false;
    // Written between our last read and the move.
    while (await this.readSome());
    await this.closeFile();
    return true;
  }

  private async closeFile(): Promise<void> {
    const file = this.file;
    this.file = undefined;
    await file?.handle.close().catch(() => undefined);
  }

  private tell(problem: string): void {
    if (problem === this.problem) return;
    this.problem = problem;
    this.intake.report(problem);
  }

  private async loadPlace(): Promise<Place | undefined> {
    const text = await readFile(this.options.statePath, 'utf8').catch(() => undefined);
    try {
      return text === undefined ? undefined : placeSchema.parse(JSON.parse(text));
    } catch {
      return undefined;
    }
  }

  /** The end of the last whole line. */
  private async save(now: boolean): Promise<void> {
    const file = this.file;
    if (!file || (!now && performance.now() - this.savedAtMs < SAVE_MS)) return;
    const text = JSON.stringify({ inode: file.inode, offset: file.offset - this.splitter.pending });
    if (text === this.saved) return;
    this.savedAtMs = performance.now();
    try {
      await mkdir(dirname(this.options.statePath), { recursive: true, mode: 0o750 });
      await writeFile(`${this.options.statePath}.tmp`, text, { mode: 0o640 });
      await rename(`${this.options.statePath}.tmp`, this.options.statePath);
      this.saved = text;
    } catch (error) {
      this.tell(`cannot keep the place reached: ${errorMessage(error)}`);
    }
  }

  private pause(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, POLL_MS);
      this.signal.addEventListener('abort', done);
      if (this.signal.aborted) done();
    });
  }
}
