import type { Detection } from '../domain/detection.js';
import { cidrContains, formatCidr, maskIp, parseCidr, parseIp, type Cidr, type IpAddress } from '../util/ip.js';
import { familyOf, isVague } from './family.js';
import type { CorrelateOptions } from './options.js';

interface Explained {
  /** Key of the behaviour's alert. */
  key: string;
  atMs: number;
  /** Prefixes that a flood of a network or link does not go to, although it has their addresses. */
  outsideOf: readonly Cidr[];
}

interface Held {
  detection: Detection;
  untilMs: number;
}

/** Findings of models on one source that wait; more of them are counted as repetitions of the last. */
const MAX_HELD_A_SOURCE = 4;
/** Family of labels that a flood has (family.ts). */
const FLOODS = 'denial';

/**
 * What a model says of single flows is often explained by what a behaviour detector says of their source: the flows of a
 * scan look like a flood, or like nothing known. Such findings belong to the behaviour's alert. A model may be quicker, so
 * its findings wait a moment for a behaviour that explains them. Bounded; the longest quiet goes first.
 */
export class Explanations {
  private readonly behaviours = new Map<string, Explained>();
  /** What classifiers said of sources, which explains what anomaly models say of them. */
  private readonly classes = new Map<string, Explained>();
  private readonly held = new Map<string, Held[]>();
  private readonly options: CorrelateOptions;
  /** A flood of a network was told: in most places never, and then no network is looked for. */
  private hasNetworks = false;

  constructor(options: CorrelateOptions) {
    this.options = options;
  }

  get waiting(): number {
    return this.held.size;
  }

  /**
   * A behaviour was found.
   * @param outsideOf prefixes that it has nothing to do with.
   * @returns findings of models that waited for it.
   */
  note(who: string, key: string, nowMs: number, outsideOf: readonly string[] = []): Detection[] {
    const prefixes = outsideOf.map((text) => parseCidr(text)).filter((prefix) => prefix !== undefined);
    this.remember(this.behaviours, who, { key, atMs: nowMs, outsideOf: prefixes });
    if (who.startsWith('target ') && who.includes('/')) this.hasNetworks = true;
    return this.take(who);
  }

  /** A classifier's finding became an alert of its own, or part of it. */
  noteClass(who: string, key: string, nowMs: number): void {
    this.remember(this.classes, who, { key, atMs: nowMs, outsideOf: [] });
  }

  private remember(map: Map<string, Explained>, who: string, explained: Explained): void {
    map.delete(who);
    if (map.size >= this.options.maxOffenders) dropOldest(map);
    map.set(who, explained);
  }

  /** The key of the alert that explains a model's finding: of its source, or of the target or network of a flood it was part of. */
  keyFor(d: Detection, nowMs: number): string | undefined {
    const target = d.victim ?? d.dstIp;
    return (
      this.current(d.offender, nowMs) ??
      this.current(`target ${target}`, nowMs) ??
      this.ofNetwork(d, target, nowMs) ??
      (d.tier === 'anomaly' ? this.recent(this.classes.get(d.offender), nowMs) : undefined)
    );
  }

  /** The key of the alert about a flood of a detection's target or its network. */
  floodOf(d: Detection, nowMs: number): string | undefined {
    const target = d.victim ?? d.dstIp;
    const ip = this.hasNetworks ? parseIp(target) : undefined;
    return this.current(`target ${target}`, nowMs) ?? (ip && this.flooded(ip, ip.version === 4 ? 24 : 64, nowMs));
  }

  /**
   * A source that has proved its address is no forged one of a flood, whatever network it talks to; and whatever claims to be
   * something else than a flood is none. Between all outside addresses there is much besides: there it has to be called a flood.
   */
  private ofNetwork(d: Detection, target: string, nowMs: number): string | undefined {
    if (!this.hasNetworks || !d.spoofable) return undefined;
    const isFlood = !isVague(d) && familyOf(d) === FLOODS;
    const ip = isFlood || isVague(d) ? parseIp(target) : undefined;
    if (ip === undefined) return undefined;
    const ofNetwork = this.flooded(ip, ip.version === 4 ? 24 : 64, nowMs);
    return ofNetwork ?? (isFlood ? this.flooded(ip, 0, nowMs) : undefined);
  }

  /** Key of the flood of the network of so many bits that the address is in. */
  private flooded(ip: IpAddress, prefix: number, nowMs: number): string | undefined {
    const who = `target ${formatCidr(maskIp(ip, prefix))}`;
    const key = this.current(who, nowMs);
    return this.behaviours.get(who)?.outsideOf.some((other) => cidrContains(other, ip)) === true ? undefined : key;
  }

  private current(who: string, nowMs: number): string | undefined {
    return this.recent(this.behaviours.get(who), nowMs);
  }

  private recent(found: Explained | undefined, nowMs: number): string | undefined {
    return found && nowMs - found.atMs <= this.options.explainSecs * 1000 ? found.key : undefined;
  }

  /** Lets a model's finding wait. @returns false when nothing shall wait. */
  hold(d: Detection, nowMs: number): boolean {
    if (this.options.modelWaitMs === 0) return false;
    const list = this.held.get(d.offender) ?? [];
    if (list.length === 0) {
      if (this.held.size >= this.options.maxOffenders) return false;
      this.held.set(d.offender, list);
    }
    const last = list.at(-1);
    if (last && list.length >= MAX_HELD_A_SOURCE) {
      last.detection = { ...last.detection, repeats: (last.detection.repeats ?? 0) + 1 + (d.repeats ?? 0) };
    } else list.push({ detection: d, untilMs: nowMs + this.options.modelWaitMs });
    return true;
  }

  /** Findings that have waited long enough: no behaviour explains them. Those of anomaly models last: a classifier's may. */
  due(nowMs: number): Detection[] {
    const out: Detection[] = [];
    for (const [who, list] of this.held) {
      if (list[0]!.untilMs > nowMs) break;
      this.held.delete(who);
      out.push(...list.map(({ detection }) => detection));
    }
    return out.sort((a, b) => Number(a.tier === 'anomaly') - Number(b.tier === 'anomaly'));
  }

  private take(who: string): Detection[] {
    const list = this.held.get(who) ?? [];
    this.held.delete(who);
    return list.map(({ detection }) => detection);
  }
}

function dropOldest(map: Map<string, unknown>): void {
  const oldest = map.keys().next().value;
  if (oldest !== undefined) map.delete(oldest);
}
