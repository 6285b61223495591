/** A part of a pattern. */
export type PatternNode =
  | { kind: 'set'; text: string }
  | { kind: 'sequence' | 'choice'; nodes: PatternNode[] }
  | { kind: 'repeat'; node: PatternNode; min: number; max: number; lazy: boolean; groups: readonly [number, number] }
  | { kind: 'group'; group: number; node: PatternNode }
  | { kind: 'look'; behind: boolean; negated: boolean; node: PatternNode }
  | { kind: 'atomic'; group: number; node: PatternNode }
  | { kind: 'reference'; group: number }
  | { kind: 'start' | 'end' | 'edge' | 'inside' };

export interface PatternTree {
  node: PatternNode;
  /** Groups, without the whole match. */
  groups: number;
}

/**
 * Takes a pattern apart as `translatePcre` writes it, which is a part of what JavaScript allows.
 * @throws {Error} when it uses something else.
 */
export function parsePattern(source: string): PatternTree {
  return new Parser(source).run();
}

class Parser {
  readonly #source: string;
  readonly #names = new Map<string, number>();
  readonly #named: { node: { group: number }; name: string }[] = [];
  #at = 0;
  #groups = 0;

  constructor(source: string) {
    this.#source = source;
  }

  run(): PatternTree {
    const node = this.#choice();
    if (this.#at < this.#source.length) throw new Error('")" without "("');
    for (const { node, name } of this.#named) {
      const group = this.#names.get(name);
      if (group === undefined) throw new Error(`there is no group "${name}"`);
      node.group = group;
    }
    return { node: withAtomics(node), groups: this.#groups };
  }

  #take(text: string): boolean {
    if (!this.#source.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #takeMatch(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const m = pattern.exec(this.#source);
    if (m) this.#at += m[0].length;
    return m;
  }

  #choice(): PatternNode {
    const nodes = [this.#sequence()];
    while (this.#take('|')) nodes.push(this.#sequence());
    return nodes.length === 1 ? nodes[0]! : { kind: 'choice', nodes };
  }

  #sequence(): PatternNode {
    const nodes: PatternNode[] = [];
    for (;;) {
      const c = this.#source[this.#at];
      if (c === undefined || c === '|' || c === ')') break;
      const before = this.#groups;
      nodes.push(this.#repeated(this.#atom(c), before));
    }
    return nodes.length === 1 ? nodes[0]! : { kind: 'sequence', nodes };
  }

  #repeated(node: PatternNode, before: number): PatternNode {
    const m = this.#takeMatch(/(?:([*+?])|\{(\d+)(,?)(\d*)\})(\??)/y);
    if (!m) return node;
    const [, sign, from = '', comma, to] = m;
    const min = sign === undefined ? Number(from) : sign === '+' ? 1 : 0;
    let max = sign === '?' ? 1 : Infinity;
    if (sign === undefined) max = comma === '' ? min : to === '' ? Infinity : Number(to);
    return { kind: 'repeat', node, min, max, lazy: m[5] !== '', groups: [before + 1, this.#groups] };
  }

  #atom(c: string): PatternNode {
    if (c === '(') return this.#group();
    if (this.#take('^')) return { kind: 'start' };
    if (this.#take('$')) return { kind: 'end' };
    if (this.#take('\\b')) return { kind: 'edge' };
    if (this.#take('\\B')) return { kind: 'inside' };
    const reference = this.#takeMatch(/\\(?:([1-9]\d*)|k<(\w+)>)/y);
    if (reference) return this.#reference(reference[1], reference[2]);
    const set = this.#takeMatch(/\[(?:[^\]\\]|\\[^])*\]|\\x[0-9a-f]{2}|\\[dDwWrnt/{}\]]|[^\\[*+?{}]/y);
    if (!set) throw new Error(`"${this.#source.slice(this.#at, this.#at + 8)}" is not understood`);
    return { kind: 'set', text: set[0] };
  }

  #reference(number: string | undefined, name: string | undefined): PatternNode {
    const node = { kind: 'reference' as const, group: Number(number) };
    if (name !== undefined) this.#named.push({ node, name });
    return node;
  }

  #group(): PatternNode {
    const head = this.#takeMatch(/\((?:\?(?:(<?[=!])|<(\w+)>|:))?/y)!;
    const [opening, look, name] = head;
    const group = opening === '(' || name !== undefined ? ++this.#groups : 0;
    if (name !== undefined) this.#names.set(name, group);
    const node = this.#choice();
    if (!this.#take(')')) throw new Error('a group is not closed');
    if (look !== undefined) return { kind: 'look', behind: look.startsWith('<'), negated: look.endsWith('!'), node };
    return group > 0 ? { kind: 'group', group, node } : node;
  }
}

/** Knows what the translator has written for `(?>x)`, outside of what is looked for backwards. */
function withAtomics(node: PatternNode): PatternNode {
  switch (node.kind) {
    case 'sequence': {
      const [look, reference] = node.nodes;
      if (
        node.nodes.length === 2 &&
        look?.kind === 'look' &&
        !look.behind &&
        !look.negated &&
        look.node.kind === 'group'
      ) {
        const { group, node: inner } = look.node;
        if (reference?.kind === 'reference' && reference.group === group)
          return { kind: 'atomic', group, node: withAtomics(inner) };
      }
      return { ...node, nodes: node.nodes.map(withAtomics) };
    }
    case 'choice':
      return { ...node, nodes: node.nodes.map(withAtomics) };
    case 'look':
      return node.behind ? node : { ...node, node: withAtomics(node.node) };
    case 'repeat':
    case 'group':
    case 'atomic':
      return { ...node, node: withAtomics(node.node) };
    default:
      return node;
  }
}
