import { CONTACT, Contacts } from './contacts.js';
import { INSIDE, type Detector, type FlowMoment } from './detector.js';
import { FirstSights } from './first-sights.js';

/** Contacts judged at once; a tick does not wait for as many. */
const BATCH = 256;
/** Contacts remembered by their latest sight alone. */
const SIGHTS = 65_536;
/** Tells failed contacts from others among the sights. */
const FAILED_TAG = 0x5bd1e995;
/** A tick comes this soon on live traffic, by the clock when it is quiet; in a capture only with the next packet. */
const TICK_US = 100_000;

/**
 * Who met whom: hands contacts, each a flow that came to something or an inside host's that did not, to the detectors that
 * look at them over hours and days. Such a look goes to several places of large tables that lie in no cache; taken many at
 * once, the processor fetches the next ones meanwhile.
 */
export class ContactWatch implements Detector {
  readonly name = 'contacts';
  /** What was read ahead; kept, or the compiler would leave the reading out. */
  ahead = 0;
  private readonly waiting = new Contacts(BATCH);
  private readonly sights = new FirstSights(SIGHTS);
  private readonly sinceMs = new Int32Array(BATCH);
  private nowUs = 0;
  private listeners: readonly Detector[] = [];

  /** Hands contacts to those of the detectors that look at them from now on. @returns whether there are any. */
  listen(detectors: readonly Detector[]): boolean {
    this.listeners = detectors.filter((d) => d.onContact !== undefined);
    return this.listeners.length > 0;
  }

  onProductive(at: FlowMoment): void {
    // Whoever comes from outside teaches nothing of the hosts inside.
    if (at.inside !== INSIDE.DESTINATION) this.add(at, at.inside);
  }

  onFailed(at: FlowMoment): void {
    if ((at.inside & INSIDE.SOURCE) !== 0) this.add(at, CONTACT.FROM_INSIDE | CONTACT.FAILED);
  }

  private add(at: FlowMoment, kind: number): void {
    if (this.waiting.add(at, kind)) this.settle(at.nowUs);
  }

  onTick(nowUs: number): void {
    this.settle(nowUs);
  }

  /** Contacts that were seen today count as new again. */
  forgetSights(): void {
    this.sights.clear();
  }

  /** Hands on what waits. */
  settle(nowUs = this.nowUs): void {
    this.nowUs = nowUs;
    const { waiting, sights, sinceMs, listeners } = this;
    const { count } = waiting;
    if (count === 0) return;
    waiting.count = 0;
    const decidedUs = Math.min(nowUs, waiting.packetUs[count - 1]! + TICK_US);
    let ahead = 0;
    for (let i = 0; i < count; i++) ahead ^= sights.readAhead(sightOf(waiting, i));
    for (let i = 0; i < count; i++) {
      sinceMs[i] = sights.sinceMs(sightOf(waiting, i), waiting.startUs[i]!);
    }
    // One detector after the other: the less a loop does, the more contacts the processor fetches for at a time.
    for (const listener of listeners) {
      for (let i = 0; i < count; i++) ahead ^= listener.readAhead!(waiting, i, sinceMs[i]!);
    }
    this.ahead = ahead;
    for (let i = 0; i < count; i++) {
      const since = sinceMs[i]!;
      for (let k = 0; k < listeners.length; k++) listeners[k]!.onContact!(waiting, i, since, decidedUs);
    }
  }
}

/** Under what a contact is remembered: one that failed says nothing of one that did not. */
function sightOf(contacts: Contacts, i: number): number {
  return (contacts.kind[i]! & CONTACT.FAILED) === 0 ? contacts.tag[i]! : contacts.tag[i]! ^ FAILED_TAG;
}
