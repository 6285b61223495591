import { maxSeverity } from '../domain/severity.js';
import type { SiemAlertEvent, SiemEvent } from '../domain/siem-event.js';

/** Token bucket over monotonic milliseconds. */
export class TokenBucket {
  private tokens: number;
  private lastMs: number;
  private readonly perMs: number;
  private readonly burst: number;

  constructor(perSecond: number, burst: number, nowMs: number) {
    this.perMs = perSecond / 1000;
    this.burst = burst;
    this.tokens = burst;
    this.lastMs = nowMs;
  }

  /** Tokens that are there now. */
  available(nowMs: number): number {
    this.take(0, nowMs);
    return Math.floor(this.tokens);
  }

  /** Takes up to `wanted` tokens. @returns how many were there. */
  take(wanted: number, nowMs: number): number {
    this.tokens = Math.min(this.burst, this.tokens + Math.max(0, nowMs - this.lastMs) * this.perMs);
    this.lastMs = nowMs;
    const taken = Math.min(wanted, Math.floor(this.tokens));
    this.tokens -= taken;
    return taken;
  }

  /** Milliseconds until one token is there. */
  waitMs(): number {
    return this.tokens >= 1 ? 0 : Math.ceil((1 - this.tokens) / this.perMs);
  }
}

/** Two alerts as one: counts add up, the time span and the severity widen, the first one's identity stays. */
export function mergeAlerts(a: SiemAlertEvent, b: SiemAlertEvent): SiemAlertEvent {
  return {
    ...a,
    count: a.count + b.count,
    firstMs: Math.min(a.firstMs, b.firstMs),
    lastMs: Math.max(a.lastMs, b.lastMs),
    severity: maxSeverity(a.severity, b.severity),
    score: Math.max(a.score, b.score),
    action: a.action === 'blocked' || b.action === 'blocked' ? 'blocked' : a.action,
  };
}

/** Merges alerts of the same rule and source within a batch; everything else passes in its place. */
export function foldAlerts(events: readonly SiemEvent[]): SiemEvent[] {
  const places = new Map<string, number>();
  const out: SiemEvent[] = [];
  for (const event of events) {
    if (event.kind !== 'alert') {
      out.push(event);
      continue;
    }
    const key = `${event.gid}:${event.signatureId}|${event.src.ip}`;
    const place = places.get(key);
    const earlier = place === undefined ? undefined : out[place];
    if (place !== undefined && earlier?.kind === 'alert') out[place] = mergeAlerts(earlier, event);
    else places.set(key, out.push(event) - 1);
  }
  return out;
}
