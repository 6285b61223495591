import type { Ring } from './ring.js';

/** Packets a millisecond from which on the ring is looked at by the clock. */
const BUSY_PACKETS_PER_MS = 32;
const REST_MS = 4;
/** The kernel closes a block each block timeout even if it is not full; a ring of fewer blocks could fill up in a stall. */
const MIN_BLOCKS = 64;
/** What 10 Gbit/s bring in three rests. */
const MIN_RING_BYTES = 16 * 2 ** 20;

/**
 * Decides how a ring's next turn comes about. As long as few packets come, the socket tells of each closed block, so none
 * waits for longer than it must. Being woken costs as much as a hundred packets, though: where they come fast, the ring is
 * looked at every four milliseconds instead, as network cards moderate their interrupts.
 */
export class Pace {
  private readonly blockTimeoutMs: number;
  private readonly mayRest: boolean;
  private isResting = false;

  constructor(ring: Pick<Ring, 'blocks' | 'blockBytes'>, blockTimeoutMs: number) {
    this.blockTimeoutMs = blockTimeoutMs;
    this.mayRest =
      blockTimeoutMs <= REST_MS && ring.blocks >= MIN_BLOCKS && ring.blocks * ring.blockBytes >= MIN_RING_BYTES;
  }

  /**
   * @param packets of the turn that is over; the ring is empty.
   * @returns milliseconds until the next turn; 0 when the socket is to tell.
   */
  next(packets: number): number {
    const sinceMs = this.isResting ? REST_MS : this.blockTimeoutMs;
    this.isResting = this.mayRest && packets >= BUSY_PACKETS_PER_MS * sinceMs;
    return this.isResting ? REST_MS : 0;
  }
}
