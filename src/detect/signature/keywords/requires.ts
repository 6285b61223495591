/** Suricata's version whose language this is. */
const LANGUAGE_VERSION = [7, 0, 10];
/** Parts that Suricata can be built with and that are always here. */
const FEATURES: ReadonlySet<string> = new Set(['ja3', 'ja4', 'nss', 'magic', 'rust']);

const OPERATORS: Readonly<Record<string, (order: number) => boolean>> = {
  '>=': (order) => order >= 0,
  '>': (order) => order > 0,
  '<=': (order) => order <= 0,
  '<': (order) => order < 0,
};

/**
 * Whether what a rule's `requires` asks for is had: `version >= 7.0.3 < 8 | >= 9`, `feature NAME`, `keyword NAME`, several
 * with commas. What is unknown here is not had.
 * @param hasKeyword whether a keyword is understood.
 * @throws {Error} when a version cannot be read.
 */
export function meetsRequirements(value: string, hasKeyword: (name: string) => boolean): boolean {
  return value.split(',').every((part) => {
    const [name = '', ...rest] = part.trim().split(/\s+/);
    if (name === 'version') return meetsVersion(rest.join(' '));
    if (name === 'feature') return FEATURES.has(rest.join(' '));
    return name === 'keyword' && hasKeyword(rest.join(' '));
  });
}

function meetsVersion(text: string): boolean {
  return text.split('|').some((alternative) => {
    const parts = [...alternative.matchAll(/\s*(>=|<=|<|>)\s*(\d+(?:\.\d+){0,2})\s*/g)];
    if (parts.length === 0 || parts.map((m) => m[0]).join('') !== alternative)
      throw new Error(`"${text}" is not a comparison with a version, such as version >= 7.0.3`);
    return parts.every((m) => OPERATORS[m[1]!]!(compareWith(m[2]!)));
  });
}

/** Order of the language's version and another one. */
function compareWith(version: string): number {
  const other = version.split('.').map(Number);
  for (const [i, number] of LANGUAGE_VERSION.entries()) {
    const difference = number - (other[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
