import type { Detection } from '../domain/detection.js';
import { Agreement } from './agreement.js';
import { familyOf } from './family.js';
import type { CorrelateOptions } from './options.js';

interface Offender {
  incidentId: string;
  lastMs: number;
  families: Map<string, Agreement>;
  /** Once an address has proved itself it stays proved while it is remembered. */
  proved: boolean;
}

const MAX_FAMILIES = 32;

/** What is remembered of each offender: its incident and what the tiers said. Bounded, longest quiet goes first. */
export class Offenders {
  evicted = 0;
  private readonly known = new Map<string, Offender>();
  private readonly options: CorrelateOptions;
  private readonly newId: (ms: number) => string;

  constructor(options: CorrelateOptions, newId: (ms: number) => string) {
    this.options = options;
    this.newId = newId;
  }

  get size(): number {
    return this.known.size;
  }

  /** @param who whom the detection is counted under: its offender, or the target of a flood without one. */
  note(detection: Detection, who: string, atMs: number): { incidentId: string; agreement: Agreement; proved: boolean } {
    const offender = this.touch(who, atMs);
    if (!detection.spoofable) offender.proved = true;
    const family = familyOf(detection);
    let agreement = offender.families.get(family);
    if (!agreement) {
      if (offender.families.size >= MAX_FAMILIES) offender.families.clear();
      agreement = new Agreement();
      offender.families.set(family, agreement);
      // Threat intelligence knows the address, whatever it does.
      const intel = offender.families.get('intel');
      if (intel && family !== 'intel') agreement.speak('intel', intel.confidence(0), atMs);
    }
    agreement.speak(detection.tier, detection.confidence, atMs);
    if (detection.tier === 'intel') {
      for (const other of offender.families.values()) other.speak('intel', detection.confidence, atMs);
      if (!offender.families.has('intel')) offender.families.set('intel', agreement);
    }
    return { incidentId: offender.incidentId, agreement, proved: offender.proved };
  }

  /** Forgets whom nothing was heard of for the idle time of incidents. */
  expire(nowMs: number): void {
    for (const [who, offender] of this.known) {
      if (nowMs - offender.lastMs <= this.options.incidentIdleSecs * 1000) return;
      this.known.delete(who);
    }
  }

  private touch(address: string, atMs: number): Offender {
    let found = this.known.get(address);
    if (found) this.known.delete(address);
    else if (this.known.size >= this.options.maxOffenders) {
      const oldest = this.known.keys().next().value;
      if (oldest !== undefined) this.known.delete(oldest);
      this.evicted++;
    }
    if (!found || atMs - found.lastMs > this.options.incidentIdleSecs * 1000) {
      found = { incidentId: this.newId(atMs), lastMs: atMs, families: new Map(), proved: false };
    }
    found.lastMs = Math.max(found.lastMs, atMs);
    this.known.set(address, found);
    return found;
  }
}
