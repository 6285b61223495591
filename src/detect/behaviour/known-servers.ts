/** Distinct keys remembered, known and reported each. */
const MAX_KEYS = 64;
/** Reports in one re-alert interval: a flood of invented servers is told by its first few. */
const MAX_REPORTS = 8;

/**
 * Tells the servers of a network from those that turn up later: known is what is listed or, without a list, what was there
 * in the learning time, which begins with the first answer.
 */
export class KnownServers<Key> {
  private readonly known: Set<Key>;
  private readonly mayLearn: boolean;
  private readonly learnUs: number;
  private readonly realertUs: number;
  private readonly reportedUs = new Map<Key, number>();
  private learnUntilUs = 0;

  constructor(listed: Iterable<Key>, options: { learnSecs: number; realertSecs: number }) {
    this.known = new Set(listed);
    this.mayLearn = this.known.size === 0;
    this.learnUs = options.learnSecs * 1e6;
    this.realertUs = options.realertSecs * 1e6;
  }

  get keys(): readonly Key[] {
    return [...this.known];
  }

  /** A server showed itself. @returns true when it is unknown and to be reported now. */
  isNews(key: Key, nowUs: number): boolean {
    if (this.known.has(key)) return false;
    if (this.learnUntilUs === 0) this.learnUntilUs = nowUs + this.learnUs;
    if (this.mayLearn && nowUs <= this.learnUntilUs && this.known.size < MAX_KEYS) {
      this.known.add(key);
      return false;
    }
    if (nowUs - (this.reportedUs.get(key) ?? -Infinity) < this.realertUs) return false;
    for (const [old, us] of this.reportedUs) if (nowUs - us >= this.realertUs) this.reportedUs.delete(old);
    if (this.reportedUs.size >= MAX_REPORTS) return false;
    this.reportedUs.set(key, nowUs);
    return true;
  }
}
