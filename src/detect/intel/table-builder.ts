import { randomInt } from 'node:crypto';
import type { Indicator } from '../../domain/indicator.js';
import { parseCidr } from '../../util/ip.js';
import { hashText, hashWords, SLOT_WORDS, TEXT_KIND } from './fingerprint.js';
import { IndicatorTable, type Names } from './table.js';

/** Distinct labels, and distinct sets of feeds that name the same value. */
const MAX_NAMES = 65_535;

/** Collects indicators of several feeds; a value that two of them name becomes one entry. */
export class TableBuilder {
  count = 0;
  /** Values beyond the limit. */
  shed = 0;
  private readonly max: number;
  private readonly seed0 = randomInt(2 ** 32) | 0;
  private readonly seed1 = randomInt(2 ** 32) | 0;
  private readonly slots: Int32Array;
  private readonly mask: number;
  private readonly feedSet: Uint16Array;
  private readonly label: Uint16Array;
  private readonly confidence: Uint8Array;
  private readonly until: Uint32Array;
  private readonly names: Names = { feeds: [], feedSets: [], labels: [] };
  private readonly setNumbers = new Map<string, number>();
  private readonly labelNumbers = new Map<string, number>();
  private readonly lengths4 = new Set<number>();
  private readonly lengths6 = new Set<number>();
  private hasNames = false;

  /** @param max most distinct values. */
  constructor(max: number) {
    this.max = max;
    const slots = 2 ** Math.ceil(Math.log2(Math.max(16, max * 1.5)));
    this.slots = new Int32Array(slots * SLOT_WORDS);
    this.mask = slots - 1;
    this.feedSet = new Uint16Array(max);
    this.label = new Uint16Array(max);
    this.confidence = new Uint8Array(max);
    this.until = new Uint32Array(max);
  }

  add(indicator: Indicator): void {
    const [f0, f1] = this.fingerprint(indicator);
    let at = f0 & this.mask;
    for (; this.slots[SLOT_WORDS * at + 2] !== 0; at = (at + 1) & this.mask) {
      if (this.slots[SLOT_WORDS * at] !== f0 || this.slots[SLOT_WORDS * at + 1] !== f1) continue;
      this.merge(this.slots[SLOT_WORDS * at + 2]! - 1, indicator);
      return;
    }
    if (this.count >= this.max) {
      this.shed++;
      return;
    }
    const entry = this.count++;
    this.slots[SLOT_WORDS * at] = f0;
    this.slots[SLOT_WORDS * at + 1] = f1;
    this.slots[SLOT_WORDS * at + 2] = entry + 1;
    this.feedSet[entry] = this.setNumber([this.feedNumber(indicator.source)]);
    this.label[entry] = this.labelNumber(indicator.label);
    this.confidence[entry] = Math.round(indicator.confidence * 100);
    this.until[entry] = Math.ceil(indicator.validUntilMs / 1000);
  }

  build(nowMs: number): IndicatorTable {
    const longestFirst = (lengths: Set<number>): number[] => [...lengths].sort((a, b) => b - a);
    const { count } = this;
    return IndicatorTable.of({
      count,
      builtMs: nowMs,
      seed0: this.seed0,
      seed1: this.seed1,
      slots: this.slots,
      feedSet: this.feedSet.slice(0, count),
      label: this.label.slice(0, count),
      confidence: this.confidence.slice(0, count),
      until: this.until.slice(0, count),
      names: this.names,
      lengths4: longestFirst(this.lengths4),
      lengths6: longestFirst(this.lengths6),
      hasNames: this.hasNames,
    });
  }

  /** The surest feed says what it is; it is valid as long as any feed says so. */
  private merge(entry: number, indicator: Indicator): void {
    const feed = this.feedNumber(indicator.source);
    const set = this.names.feedSets[this.feedSet[entry]!] ?? [];
    if (!set.includes(feed)) this.feedSet[entry] = this.setNumber([...set, feed]);
    const confidence = Math.round(indicator.confidence * 100);
    if (confidence > this.confidence[entry]!) {
      this.confidence[entry] = confidence;
      this.label[entry] = this.labelNumber(indicator.label);
    }
    const until = Math.ceil(indicator.validUntilMs / 1000);
    if (this.until[entry] !== 0) this.until[entry] = until === 0 ? 0 : Math.max(this.until[entry]!, until);
  }

  private fingerprint({ type, value }: Indicator): [number, number] {
    if (type === 'ip' || type === 'cidr') {
      const network = parseCidr(value);
      if (!network) throw new Error(`${value} is not an address`);
      const { version, prefix } = network;
      (version === 6 ? this.lengths6 : this.lengths4).add(prefix);
      const [w0, w1, w2, w3] = network.words;
      const kind = version === 6 ? 64 + prefix : prefix;
      return [hashWords(this.seed0, kind, w0, w1, w2, w3), hashWords(this.seed1, kind, w0, w1, w2, w3)];
    }
    this.hasNames = true;
    const kind = TEXT_KIND[type];
    return [hashText(this.seed0, kind, value), hashText(this.seed1, kind, value)];
  }

  private feedNumber(name: string): number {
    const known = this.names.feeds.indexOf(name);
    return known >= 0 ? known : this.names.feeds.push(name) - 1;
  }

  private setNumber(feeds: number[]): number {
    const key = feeds.sort((a, b) => a - b).join();
    let number = this.setNumbers.get(key);
    if (number === undefined) {
      // Beyond the limit the first feed of the value is what is remembered.
      if (this.names.feedSets.length >= MAX_NAMES) return this.setNumbers.get(String(feeds[0])) ?? 0;
      number = this.names.feedSets.push(feeds) - 1;
      this.setNumbers.set(key, number);
    }
    return number;
  }

  private labelNumber(label: string): number {
    let number = this.labelNumbers.get(label);
    if (number === undefined) {
      if (this.names.labels.length >= MAX_NAMES) return 0;
      number = this.names.labels.push(label) - 1;
      this.labelNumbers.set(label, number);
    }
    return number;
  }
}

/** A table that lists nothing. */
export function emptyTable(): IndicatorTable {
  return new TableBuilder(1).build(0);
}
