import type { Tier } from '../domain/detection.js';

/**
 * What each tier contributes at most to a combined confidence. Detectors of one tier share their blind spots and those of
 * different tiers are taken as independent, which flatters a little; the caps keep the sum short of certainty.
 */
const TIER_CAP: Readonly<Record<Tier, number>> = {
  signature: 0.98,
  behaviour: 0.98,
  classification: 0.95,
  anomaly: 0.9,
  intel: 0.9,
};

interface Voice {
  confidence: number;
  atMs: number;
}

/** Which tiers have lately spoken about one offender and kind of behaviour. */
export class Agreement {
  private readonly voices = new Map<Tier, Voice>();

  speak(tier: Tier, confidence: number, atMs: number): void {
    const before = this.voices.get(tier);
    this.voices.set(tier, { confidence: Math.max(confidence, before?.confidence ?? 0), atMs });
  }

  /** Tiers heard since `sinceMs`, the most confident first. */
  tiers(sinceMs: number): Tier[] {
    return [...this.voices]
      .filter(([, voice]) => voice.atMs >= sinceMs)
      .sort((a, b) => b[1].confidence - a[1].confidence)
      .map(([tier]) => tier);
  }

  /**
   * Noisy-or (Pearl 1988) of the tiers heard since `sinceMs`: 1 - product of (1 - confidence). A tier counts once, with its
   * best: detections of one tier are not independent of each other.
   */
  confidence(sinceMs: number): number {
    let doubt = 1;
    for (const [tier, voice] of this.voices) {
      if (voice.atMs >= sinceMs) doubt *= 1 - Math.min(voice.confidence, TIER_CAP[tier]);
    }
    return 1 - doubt;
  }
}
