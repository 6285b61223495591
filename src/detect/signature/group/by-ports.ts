import { inPorts } from '../parse/port.js';
import type { Rule } from '../rule.js';
import { finish, type Steps } from '../steps.js';
import type { PortClasses } from './port-classes.js';

export interface RulePorts {
  src: PortClasses;
  dst: PortClasses;
  /** False when the memory for groups is used up: then all ports share the group of all rules. */
  hasRoom(): boolean;
}

/**
 * One group of rules for every pair of port classes, made when the first packet asks for it. A group holds every rule whose
 * ports may fit and few others: the rule's header is looked at again.
 */
export class ByPorts<T> {
  readonly #rules: readonly Rule[];
  readonly #ports: RulePorts;
  readonly #build: (rules: readonly Rule[]) => Steps<T>;
  readonly #groups: (T | undefined)[] = [];
  readonly #byRules = new Map<string, T>();
  #all: T | undefined;

  constructor(rules: readonly Rule[], ports: RulePorts, build: (rules: readonly Rule[]) => Steps<T>) {
    this.#rules = rules;
    this.#ports = ports;
    this.#build = build;
  }

  /** Every rule, whatever its ports. */
  get all(): T {
    return (this.#all ??= finish(this.#build(this.#rules)));
  }

  get(srcPort: number, dstPort: number): T {
    const { src, dst } = this.#ports;
    return this.#groups[src.of(srcPort) * dst.count + dst.of(dstPort)] ?? finish(this.make(srcPort, dstPort));
  }

  /** The same, made step by step when it is new. */
  *make(srcPort: number, dstPort: number): Steps<T> {
    const { src, dst } = this.#ports;
    const from = src.of(srcPort);
    const to = dst.of(dstPort);
    const key = from * dst.count + to;
    return (this.#groups[key] ??= yield* this.#make(src.sample(from), dst.sample(to)));
  }

  *#make(srcPort: number, dstPort: number): Steps<T> {
    const rules = this.#rules.filter(
      (rule) => rule.direction !== '->' || (inPorts(rule.srcPorts, srcPort) && inPorts(rule.dstPorts, dstPort)),
    );
    if (rules.length === this.#rules.length) return (this.#all ??= yield* this.#build(rules));
    const key = rules.map((rule) => rule.index).join();
    const known = this.#byRules.get(key);
    if (known !== undefined) return known;
    if (!this.#ports.hasRoom()) return this.all;
    const made = yield* this.#build(rules);
    this.#byRules.set(key, made);
    return made;
  }
}
