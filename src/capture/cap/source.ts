import type { CaptureStats, PacketBlock } from '../../domain/packet.js';
import { unknownInterface } from '../errors.js';
import { CaptureStream } from '../file/stream.js';
import type { OnBlock } from '../file/format.js';
import { interfaceIndex, interfaceIsUp, interfaceNames } from '../interfaces.js';
import type { CapOptions } from '../options.js';
import type { PacketSource } from '../source.js';
import { startCapProcess, type CapProcess } from './process.js';

const CHECK_MS = 250;

/**
 * Live capture through libpcap and npm `cap`: portable, one callback a packet, in a process of its own. Packets get the
 * time of their callback, and what the kernel drops is not known.
 */
export class CapSource implements PacketSource {
  readonly name: string;
  private readonly options: CapOptions;
  private readonly totals: CaptureStats = { packets: 0, bytes: 0, kernelDrops: 0, reopens: 0, dropsKnown: false };
  private capture: CapProcess | undefined;
  private ifIndex: number | undefined;
  private closed = false;

  private constructor(options: CapOptions) {
    this.options = options;
    this.name = options.interface;
  }

  /** @throws AppError at once when the interface is missing, of a wrong kind, or may not be captured on. */
  static async open(options: CapOptions): Promise<CapSource> {
    const known = interfaceNames();
    if (known.length > 0 && !known.includes(options.interface)) throw unknownInterface(options.interface, known);
    const source = new CapSource(options);
    if (interfaceIsUp(options.interface)) await source.start();
    return source;
  }

  /** Goes on with a new capture process each time the interface comes back. */
  async run(onBlock: OnBlock, signal: AbortSignal): Promise<void> {
    const stop = (): void => this.capture?.stop();
    signal.addEventListener('abort', stop, { once: true });
    try {
      while (!signal.aborted && !this.closed) {
        if (this.capture !== undefined) await this.deliver(this.capture, onBlock);
        else await this.restart();
      }
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  stats(): CaptureStats {
    return { ...this.totals, kernelDrops: this.totals.kernelDrops + (this.capture?.dropped() ?? 0) };
  }

  close(): void {
    this.closed = true;
    this.capture?.stop();
  }

  private async start(): Promise<void> {
    this.ifIndex = interfaceIndex(this.name);
    this.capture = await startCapProcess(this.options);
  }

  private async restart(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, CHECK_MS));
    if (this.closed || !interfaceIsUp(this.name)) return;
    try {
      await this.start();
      this.totals.reopens++;
    } catch {
      // Not ready yet; tried again at the next turn.
    }
  }

  /** Reads one process's packets until it ends: told to, or because its interface went away. */
  private async deliver(capture: CapProcess, onBlock: OnBlock): Promise<void> {
    const stream = new CaptureStream(this.name, (block: PacketBlock) => {
      block.linkType = capture.linkType;
      block.interfaceId = this.options.interfaceId;
      for (let i = 0; i < block.count; i++) this.totals.bytes += block.wireLen[i]!;
      this.totals.packets += block.count;
      onBlock(block);
    });
    // A removed interface is not always reported by libpcap.
    const timer = setInterval(() => {
      if (interfaceIndex(this.name) !== this.ifIndex || !interfaceIsUp(this.name)) capture.stop();
    }, CHECK_MS);
    try {
      for await (const chunk of capture.output) stream.write(chunk as Uint8Array);
      await capture.ended;
    } finally {
      clearInterval(timer);
      capture.stop();
      this.totals.kernelDrops += capture.dropped();
      this.capture = undefined;
    }
  }
}
