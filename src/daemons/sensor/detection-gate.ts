import type { Detection } from '../../domain/detection.js';

export interface DetectionGateOptions {
  /** The same finding about the same offender is sent at most once in this time, microseconds. */
  intervalUs: number;
  /** Findings remembered at once; the longest unseen is forgotten beyond this. */
  maxKeys: number;
}

/**
 * Holds back repetitions, so that a scan that fires a model or a rule once a flow does not stand before the one detection
 * that decides. The first goes at once; what follows within the interval is counted and sent as one.
 */
export interface DetectionGate {
  push(detection: Detection): void;
  /** Sends what was held back long enough; call it about ten times a second. */
  tick(nowUs: number): void;
  /** Sends everything that is held back. */
  flush(): void;
  stats(): Record<string, number>;
}

interface Entry {
  sentUs: number;
  held: Detection | undefined;
  repeats: number;
}

export function createDetectionGate(options: DetectionGateOptions, send: (d: Detection) => void): DetectionGate {
  const entries = new Map<string, Entry>();
  const holding = new Set<string>();
  let heldBack = 0;

  function release(key: string, entry: Entry, nowUs: number): void {
    const { held, repeats } = entry;
    holding.delete(key);
    entry.held = undefined;
    entry.repeats = 0;
    entry.sentUs = nowUs;
    if (held) send(repeats > 1 ? { ...held, repeats: repeats - 1 } : held);
  }

  function remember(key: string, entry: Entry): void {
    entries.delete(key);
    if (entries.size >= options.maxKeys) {
      const oldest = entries.keys().next().value;
      if (oldest !== undefined) {
        release(oldest, entries.get(oldest)!, 0);
        entries.delete(oldest);
      }
    }
    entries.set(key, entry);
  }

  return {
    push(detection) {
      // A proof of address is news even when the finding is not.
      const key = `${detection.offender} ${detection.gid}:${detection.signatureId} ${detection.label} ${detection.spoofable}`;
      const known = entries.get(key);
      if (!known || detection.detectedUs - known.sentUs >= options.intervalUs) {
        const entry = known ?? { sentUs: 0, held: undefined, repeats: 0 };
        remember(key, entry);
        entry.held = detection;
        entry.repeats++;
        release(key, entry, detection.detectedUs);
        return;
      }
      known.held = detection;
      known.repeats++;
      heldBack++;
      holding.add(key);
    },
    tick(nowUs) {
      for (const key of holding) {
        const entry = entries.get(key);
        if (!entry) holding.delete(key);
        else if (nowUs - entry.sentUs >= options.intervalUs) release(key, entry, nowUs);
      }
    },
    flush() {
      for (const key of holding) {
        const entry = entries.get(key);
        if (entry) release(key, entry, entry.sentUs);
      }
    },
    stats: () => ({ detections_held_back: heldBack, detection_keys: entries.size }),
  };
}
