/** Bits of a map: so many that two of a few senders seldom share one. */
const BITS = 2048;
const WORDS = BITS / 32;
const WINDOW_US = 1e6;

/** What {@link SenderGate.look} says of a packet. */
export const GATE = {
  /** There were too few senders so far, and this one is not the first packet of its. */
  SHUT: 0,
  /** The same, and it is. */
  FIRST: 1,
  /** There were enough. */
  OPEN: 2,
} as const;

/**
 * Whether at least some senders were seen within this second or the one before: a map of bits, so small that it stays in the
 * first-level cache, asked before large tables are. A scan has few senders, a flood many.
 */
export class SenderGate {
  private readonly bits = new Uint32Array(WORDS);
  private readonly least: number;
  private senders = 0;
  private wasOpen = false;
  private startUs = 0;

  /** @param least senders that open it. */
  constructor(least: number) {
    this.least = least;
  }

  /** Notes a sender by its hash. @returns one of GATE. */
  look(sender: number, nowUs: number): number {
    const elapsedUs = nowUs - this.startUs;
    if (elapsedUs >= WINDOW_US) this.roll(elapsedUs, nowUs);
    const at = (sender >>> 5) & (WORDS - 1);
    const bit = 1 << (sender & 31);
    const isFirst = (this.bits[at]! & bit) === 0;
    if (isFirst) {
      this.bits[at]! |= bit;
      this.senders++;
    }
    if (this.wasOpen || this.senders >= this.least) return GATE.OPEN;
    return isFirst ? GATE.FIRST : GATE.SHUT;
  }

  private roll(elapsedUs: number, nowUs: number): void {
    const isNext = elapsedUs < 2 * WINDOW_US;
    this.wasOpen = isNext && this.senders >= this.least;
    this.startUs = isNext ? this.startUs + WINDOW_US : nowUs;
    this.senders = 0;
    this.bits.fill(0);
  }
}
