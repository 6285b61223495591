import type { CaptureStats } from '../../domain/packet.js';
import { captureFailed } from '../errors.js';
import type { OnBlock } from '../file/format.js';
import type { AfpacketOptions } from '../options.js';
import type { PacketSource } from '../source.js';
import { watchReadable } from '../../util/poll.js';
import { interfaceIndex, interfaceIsUp } from '../interfaces.js';
import type { Doorbell } from './doorbell.js';
import { openRing, type Ring } from './ring.js';
import { RingWalker } from './walk.js';

/** Blocks handled before Node's event loop gets its turn: timers and sockets of the sensor stay alive under load. */
const BLOCKS_PER_TURN = 64;
/** How often a missing or downed interface is looked for, and an idle one checked, milliseconds. */
const RETRY_MS = 100;
const CHECK_MS = 1000;

/** Live capture on one interface of Linux through a TPACKET_V3 ring. */
export class AfpacketSource implements PacketSource {
  readonly name: string;
  private readonly options: AfpacketOptions;
  private ring: Ring | undefined;
  private walker: RingWalker | undefined;
  private watch: { close(): void } | undefined;
  private doorbellWatch: { close(): void } | undefined;
  private timer: NodeJS.Timeout | undefined;
  private onBlock: OnBlock = () => undefined;
  private finish: ((error?: unknown) => void) | undefined;
  private turnQueued = false;
  /** The socket may have an error pending; asking costs a system call. */
  private socketFailed = false;
  private draining = false;
  private closed = false;
  private readonly totals: CaptureStats = { packets: 0, bytes: 0, kernelDrops: 0, reopens: 0, dropsKnown: true };

  /** @throws AppError at once when the interface is missing, of a wrong kind, or may not be captured on. */
  constructor(options: AfpacketOptions) {
    this.options = options;
    this.name = options.interface;
    this.openRing();
  }

  run(onBlock: OnBlock, signal: AbortSignal): Promise<void> {
    if (this.closed || signal.aborted) return Promise.resolve();
    this.onBlock = onBlock;
    return new Promise<void>((resolve, reject) => {
      const abort = (): void => this.finish?.();
      this.finish = (error) => {
        this.finish = undefined;
        this.pause();
        signal.removeEventListener('abort', abort);
        if (error === undefined) resolve();
        else reject(error as Error);
      };
      signal.addEventListener('abort', abort, { once: true });
      this.resume();
    });
  }

  stats(): CaptureStats {
    this.countDrops();
    return {
      ...this.totals,
      packets: this.totals.packets + (this.walker?.packets ?? 0),
      bytes: this.totals.bytes + (this.walker?.bytes ?? 0),
    };
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.finish?.();
    this.closeRing();
  }

  private openRing(): void {
    this.ring = openRing(this.options);
    this.walker = new RingWalker(this.ring, this.options.interfaceId);
  }

  /** While a block is being handed over its memory must stay: the ring then closes after the turn. */
  private closeRing(): void {
    if (this.draining) return;
    this.pause();
    this.countDrops();
    this.totals.packets += this.walker?.packets ?? 0;
    this.totals.bytes += this.walker?.bytes ?? 0;
    this.walker = undefined;
    this.ring?.close();
    this.ring = undefined;
  }

  private resume(): void {
    if (this.ring === undefined) {
      this.timer = setTimeout(() => this.reopen(), RETRY_MS);
      return;
    }
    this.socketFailed = true;
    this.watchSocket(this.ring);
    if (this.ring.doorbell) this.watchDoorbell(this.ring.doorbell);
    // Renaming and removal are not always reported on the socket, so look now and then.
    this.timer = setInterval(() => this.checkInterface(), CHECK_MS);
    this.queueTurn();
  }

  private watchSocket(ring: Ring): void {
    this.watch?.close();
    this.watch = watchReadable(ring.fd, (failed) => {
      if (failed) {
        this.socketFailed = true;
        this.watch?.close();
        this.watch = undefined;
      }
      // Node serves ticks and promises after this callback too; a detour over setImmediate costs a turn of the loop.
      if (!this.turnQueued) this.turn();
    });
  }

  private watchDoorbell(doorbell: Doorbell): void {
    this.doorbellWatch?.close();
    this.doorbellWatch = watchReadable(doorbell.fd, (failed) => {
      // The ring's own socket tells what is wrong.
      if (failed) this.doorbellWatch?.close();
      else if (!this.turnQueued) this.turn();
    });
  }

  private pause(): void {
    this.watch?.close();
    this.watch = undefined;
    this.doorbellWatch?.close();
    this.doorbellWatch = undefined;
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  /** What is left after a turn waits until the loop's other work had its chance. */
  private queueTurn(): void {
    if (this.turnQueued) return;
    this.turnQueued = true;
    setImmediate(() => {
      this.turnQueued = false;
      this.turn();
    });
  }

  private turn(): void {
    if (this.finish === undefined || this.walker === undefined || this.ring === undefined) return;
    const { walker } = this;
    const { doorbell } = this.ring;
    this.draining = true;
    let more = false;
    try {
      const looksAhead = doorbell?.answer(walker.packets) ?? false;
      more = walker.drain(BLOCKS_PER_TURN, this.onBlock, looksAhead);
      if (looksAhead && !more) walker.takeOpen(this.onBlock);
    } catch (error) {
      this.finish(error);
    } finally {
      this.draining = false;
    }
    if (this.closed) return this.closeRing();
    if (more) return this.queueTurn();
    if (this.socketFailed) this.handleError(this.ring.takeError());
  }

  private handleError(error: string): void {
    this.socketFailed = false;
    if (error === '') return;
    if (error === 'ENETDOWN' || error === 'ENODEV' || error === 'ENXIO') this.lost();
    else this.finish?.(captureFailed(this.name, 'the packet socket', error));
  }

  private checkInterface(): void {
    if (this.ring === undefined || interfaceIndex(this.name) !== this.ring.ifIndex) this.lost();
    else if (this.watch === undefined) this.watchSocket(this.ring);
  }

  /** The interface went down or away: what the ring still held was handed over; open a new one when it is back. */
  private lost(): void {
    if (this.finish === undefined) return;
    this.closeRing();
    this.resume();
  }

  private reopen(): void {
    if (this.finish === undefined) return;
    if (interfaceIsUp(this.name)) {
      try {
        this.openRing();
        this.totals.reopens++;
      } catch {
        // Not ready yet, for instance renamed in between; tried again after the next pause.
      }
    }
    this.resume();
  }

  private countDrops(): void {
    if (this.ring) this.totals.kernelDrops += this.ring.takeDrops();
  }
}
