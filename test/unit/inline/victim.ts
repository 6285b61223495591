import type { Segment } from './segments.js';

/** What a receiver of TCP makes of segments in whatever order: in-order bytes, with old timestamps thrown away (RFC 7323). */
export class Victim {
  text = '';
  private readonly ahead = new Map<number, string>();
  private recent: number;

  constructor(timestamp: number) {
    this.recent = timestamp;
  }

  /** @param at position of the segment's first byte. @returns the position acknowledged now. */
  receive(at: number, { text = '', timestamp = this.recent }: Partial<Segment>): number {
    if (timestamp < this.recent) return this.text.length;
    if (at <= this.text.length) this.recent = timestamp;
    if (!this.ahead.has(at) || text.length > this.ahead.get(at)!.length) this.ahead.set(at, text);
    for (let grew = true; grew;) {
      grew = false;
      for (const [from, bytes] of this.ahead) {
        if (from > this.text.length) continue;
        this.ahead.delete(from);
        if (from + bytes.length <= this.text.length) continue;
        this.text += bytes.slice(this.text.length - from);
        grew = true;
      }
    }
    return this.text.length;
  }
}
