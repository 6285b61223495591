import { severityRank } from '../domain/severity.js';
import type { SiemAlertEvent, SiemEvent } from '../domain/siem-event.js';
import { uuid7 } from '../util/uuid7.js';
import type { SiemOptions } from './options.js';
import { mergeAlerts } from './rate-limit.js';

interface Group {
  /** Last event that went out at once. */
  sent: SiemAlertEvent;
  /** Held back since; undefined when nothing was. */
  held: SiemAlertEvent | undefined;
  windowEndMs: number;
  /** Highest cumulative count seen per alert that is still growing. */
  seen: { id: string; count: number };
}

/**
 * Sends the first alert of a rule, source, destination and port at once, and then one summary a window with count,
 * first and last time. An alert that got worse, or was acted on, goes out at once. Decisions are never held back.
 * The sum of `count` over what comes out equals the detections that went in, but for an alert that
 * is reported again only because it was acted on: that report counts for one.
 */
export class Aggregator {
  /** Alerts that went into a summary. */
  merged = 0;
  private readonly groups = new Map<string, Group>();
  private readonly options: SiemOptions['aggregate'];
  private readonly emit: (event: SiemEvent) => void;

  constructor(options: SiemOptions['aggregate'], emit: (event: SiemEvent) => void) {
    this.options = options;
    this.emit = emit;
  }

  push(event: SiemEvent, nowMs: number): void {
    if (event.kind !== 'alert' || this.options.window === 0) {
      this.emit(event);
      return;
    }
    const key = this.keyOf(event);
    const group = this.groups.get(key);
    if (!group) {
      this.makeRoom();
      this.groups.set(key, {
        sent: event,
        held: undefined,
        windowEndMs: nowMs + this.options.window * 1000,
        seen: { id: event.alertId ?? event.id, count: event.count },
      });
      this.emit(event);
      return;
    }
    const fresh = sinceLast(group, event);
    const urgent =
      severityRank(event.severity) > severityRank(group.sent.severity) || event.action !== group.sent.action;
    if (urgent) {
      this.release(group);
      group.sent = event;
      this.emit({ ...fresh, count: Math.max(1, fresh.count) });
      return;
    }
    this.merged++;
    if (fresh.count === 0) return;
    group.held = group.held ? mergeAlerts(group.held, fresh) : { ...fresh, id: uuid7() };
  }

  /** Sends the summaries that are due; call about once a second. */
  tick(nowMs: number): void {
    for (const [key, group] of this.groups) {
      if (group.windowEndMs > nowMs && group.windowEndMs <= nowMs + this.options.window * 1000) continue;
      if (group.held) {
        this.release(group);
        group.windowEndMs = nowMs + this.options.window * 1000;
      } else {
        this.groups.delete(key);
      }
    }
  }

  /** Sends every summary now. */
  flush(): void {
    for (const group of this.groups.values()) this.release(group);
    this.groups.clear();
  }

  get keys(): number {
    return this.groups.size;
  }

  private release(group: Group): void {
    const held = group.held;
    group.held = undefined;
    if (held) this.emit(held);
  }

  /** The oldest key makes room; its summary is not lost. */
  private makeRoom(): void {
    if (this.groups.size < this.options.max_keys) return;
    const oldest = this.groups.entries().next().value;
    if (!oldest) return;
    this.release(oldest[1]);
    this.groups.delete(oldest[0]);
  }

  private keyOf(event: SiemAlertEvent): string {
    let key = '';
    for (const part of this.options.key) {
      if (part === 'rule.id') key += `${event.gid}:${event.signatureId}|`;
      else if (part === 'src.ip') key += `${event.src.ip}|`;
      else if (part === 'dst.ip') key += `${event.dst.ip}|`;
      else key += `${event.dst.port ?? ''}|`;
    }
    return key;
  }
}

/** The same alert reported again carries its whole count; only what was added counts. */
function sinceLast(group: Group, event: SiemAlertEvent): SiemAlertEvent {
  const id = event.alertId ?? event.id;
  const known = group.seen.id === id ? group.seen.count : 0;
  group.seen = { id, count: Math.max(known, event.count) };
  return known === 0 ? event : { ...event, count: Math.max(0, event.count - known) };
}
