/** Bits of a map: a quarter of them set is the most, so that one stranger in four or less is taken for known. */
const BITS = 2 ** 19;
const MOST = BITS / 4;

/**
 * Who was at which server earlier: pairs, by hash, in two maps of bits that take turns. Known is who was there in the turn
 * before the present one.
 */
export class Visitors {
  /** Turns that ended early because there were too many pairs. */
  cutShort = 0;
  private readonly turnUs: number;
  private earlier = new Uint32Array(BITS / 32);
  private present = new Uint32Array(BITS / 32);
  private pairs = 0;
  private untilUs = 0;

  constructor(turnSecs: number) {
    this.turnUs = turnSecs * 1e6;
  }

  note(pair: number, nowUs: number): void {
    if (nowUs >= this.untilUs || this.pairs >= MOST) this.turn(nowUs);
    const bit = 1 << (pair & 31);
    const at = wordOf(pair);
    if ((this.present[at]! & bit) !== 0) return;
    this.present[at]! |= bit;
    this.pairs++;
  }

  /** Forgets who came in the present turn. */
  forgetPresent(): void {
    this.present.fill(0);
    this.pairs = 0;
  }

  isKnown(pair: number): boolean {
    return (this.earlier[wordOf(pair)]! & (1 << (pair & 31))) !== 0;
  }

  private turn(nowUs: number): void {
    if (nowUs < this.untilUs) this.cutShort++;
    const { earlier } = this;
    this.earlier = this.present;
    this.present = earlier.fill(0);
    this.pairs = 0;
    this.untilUs = nowUs + this.turnUs;
  }
}

function wordOf(pair: number): number {
  return (pair >>> 5) & (BITS / 32 - 1);
}
