import { Buffer } from 'node:buffer';
import { LINK, type CaptureStats } from '../../domain/packet.js';
import { nowUs } from '../../util/clock.js';
import { AppError, errorMessage } from '../../util/errors.js';
import { createBlock } from '../block.js';
import { captureFailed, noCaptureRights, unknownInterface, unsupportedLink } from '../errors.js';
import type { OnBlock } from '../file/format.js';
import { interfaceIndex, interfaceIsUp, interfaceNames } from '../interfaces.js';
import type { CapOptions } from '../options.js';
import type { PacketSource } from '../source.js';
import { loadCap, type CapHandle } from './binding.js';

const CHECK_MS = 500;
const FRAME_BYTES = 65536;

const LINK_BY_NAME: Readonly<Record<string, number>> = {
  ETHERNET: LINK.ETHERNET,
  NULL: LINK.NULL,
  RAW: LINK.RAW,
  LINKTYPE_LINUX_SLL: LINK.LINUX_SLL,
  'Unknown linktype 276': LINK.LINUX_SLL2,
};

/**
 * Live capture through libpcap and npm `cap`: portable, one callback a packet. It gives no kernel timestamps (packets
 * get the time of their callback) and no drop counter. One capture per process: the addon is not made for more.
 */
export class CapSource implements PacketSource {
  readonly name: string;
  private readonly options: CapOptions;
  private readonly frame = Buffer.alloc(FRAME_BYTES);
  private readonly block = createBlock(1);
  private readonly totals: CaptureStats = { packets: 0, bytes: 0, kernelDrops: 0, reopens: 0, dropsKnown: false };
  private handle: CapHandle | undefined;
  private ifIndex: number | undefined;
  private timer: NodeJS.Timeout | undefined;
  private onBlock: OnBlock | undefined;
  private finish: ((error?: unknown) => void) | undefined;

  /** @throws AppError at once when the interface is missing, of a wrong kind, or may not be captured on. */
  constructor(options: CapOptions) {
    this.options = options;
    this.name = options.interface;
    this.block.data = new Uint8Array(this.frame.buffer, this.frame.byteOffset, this.frame.length);
    this.open();
  }

  run(onBlock: OnBlock, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise<void>((resolve, reject) => {
      const abort = (): void => this.finish?.();
      this.finish = (error) => {
        this.finish = undefined;
        this.onBlock = undefined;
        clearInterval(this.timer);
        signal.removeEventListener('abort', abort);
        if (error === undefined) resolve();
        else reject(error as Error);
      };
      signal.addEventListener('abort', abort, { once: true });
      this.onBlock = onBlock;
      this.timer = setInterval(() => this.checkInterface(), CHECK_MS);
    });
  }

  stats(): CaptureStats {
    return { ...this.totals };
  }

  close(): void {
    this.finish?.();
    this.closeHandle();
  }

  private open(): void {
    this.ifIndex = interfaceIndex(this.name);
    if (this.ifIndex === undefined && interfaceNames().length > 0) throw unknownInterface(this.name, interfaceNames());
    const handle = new (load().Cap)();
    const { filter, bufferMiB } = this.options;
    let link: string;
    try {
      link = handle.open(this.name, filter, bufferMiB << 20, this.frame);
    } catch (error) {
      throw openError(this.name, errorMessage(error), error);
    }
    const linkType = LINK_BY_NAME[link];
    if (linkType === undefined) {
      handle.close();
      throw unsupportedLink(this.name, link);
    }
    handle.setMinBytes?.(0);
    handle.on('packet', (bytes) => this.deliver(bytes));
    this.block.linkType = linkType;
    this.block.interfaceId = this.options.interfaceId;
    this.handle = handle;
  }

  private deliver(bytes: number): void {
    const { block, onBlock } = this;
    if (onBlock === undefined) return;
    block.count = 1;
    block.capLen[0] = Math.min(bytes, FRAME_BYTES);
    block.wireLen[0] = bytes;
    block.tsUs[0] = nowUs();
    this.totals.packets++;
    this.totals.bytes += bytes;
    try {
      onBlock(block);
    } catch (error) {
      this.finish?.(error);
    }
  }

  /** libpcap does not say that its interface went away, so compare it with what is there now. */
  private checkInterface(): void {
    const isUp = interfaceIsUp(this.name);
    if (this.handle !== undefined && isUp && interfaceIndex(this.name) === this.ifIndex) return;
    this.closeHandle();
    if (!isUp) return;
    try {
      this.open();
      this.totals.reopens++;
    } catch {
      // Not ready yet; tried again at the next check.
    }
  }

  private closeHandle(): void {
    this.handle?.close();
    this.handle = undefined;
  }
}

function load(): ReturnType<typeof loadCap> {
  try {
    return loadCap();
  } catch (cause) {
    throw new AppError({
      kind: 'operational',
      code: 'capture.no_libpcap',
      message: 'The capture source "cap" cannot be loaded.',
      fix: 'Install libpcap (Debian: libpcap0.8), or use the source "afpacket".',
      cause,
    });
  }
}

function openError(name: string, message: string, cause: unknown): AppError {
  if (/permission|not permitted/i.test(message)) return noCaptureRights(name);
  if (/syntax error|parse filter|filter/i.test(message)) {
    return new AppError({
      kind: 'user',
      code: 'capture.bad_filter',
      message: `The capture filter is not valid: ${message}.`,
      fix: 'See pcap-filter(7).',
      cause,
    });
  }
  return captureFailed(name, 'libpcap', message, cause);
}
