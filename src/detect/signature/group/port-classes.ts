import type { PortSet } from '../parse/port.js';
import type { Steps } from '../steps.js';

const PORTS = 65_536;
const WORDS = PORTS / 32;

/** Ports that no port set of the rules tells apart are one class. */
export class PortClasses {
  readonly #classOf = new Uint16Array(PORTS);
  readonly #samples: number[] = [0];

  /** Tells apart what these sets tell apart. */
  *split(sets: Iterable<PortSet>): Steps<void> {
    const sizes = [PORTS];
    for (const set of new Set(sets)) {
      if (set === undefined) continue;
      this.#split(set, sizes);
      yield;
    }
    for (let port = PORTS - 1; port >= 0; port--) this.#samples[this.#classOf[port]!] = port;
  }

  get count(): number {
    return this.#samples.length;
  }

  of(port: number): number {
    return this.#classOf[port]!;
  }

  /** A port of the class. */
  sample(index: number): number {
    return this.#samples[index]!;
  }

  /** Every class that is partly inside of the set becomes two. */
  #split(set: Uint32Array, sizes: number[]): void {
    const classOf = this.#classOf;
    const inside = new Uint32Array(sizes.length);
    each(set, (port) => inside[classOf[port]!]!++);
    const parts = new Map<number, number>();
    for (const [index, members] of inside.entries()) {
      if (members === 0 || members === sizes[index]) continue;
      parts.set(index, sizes.length);
      sizes[index]! -= members;
      sizes.push(members);
      this.#samples.push(0);
    }
    if (parts.size > 0) each(set, (port) => (classOf[port] = parts.get(classOf[port]!) ?? classOf[port]!));
  }
}

function each(set: Uint32Array, visit: (port: number) => void): void {
  for (let word = 0; word < WORDS; word++) {
    for (let bits = set[word]!; bits !== 0; bits &= bits - 1) visit(word * 32 + (31 - Math.clz32(bits & -bits)));
  }
}
