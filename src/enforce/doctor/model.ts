/** The ruleset of the box as `nft -j list ruleset` prints it, reduced to what the checks look at. */
export interface RulesetModel {
  tables: { family: string; name: string; dormant: boolean }[];
  chains: ChainModel[];
  sets: { family: string; table: string; name: string; flags: string[]; size: number }[];
  flowtables: { family: string; table: string; name: string; devices: string[]; priority: number }[];
}

export interface ChainModel {
  family: string;
  table: string;
  name: string;
  /** Base chains only. */
  hook?: string;
  type?: string;
  priority?: number;
  policy?: string;
  devices: string[];
  rules: RuleModel[];
}

export interface RuleModel {
  /** accept, drop, queue, fwd, tproxy, redirect, flow, jump ...: the statements that decide. */
  verdicts: string[];
  /** Connection states that the rule asks for. */
  ctStates: string[];
}

type Json = Record<string, unknown>;

const VERDICTS = [
  'accept',
  'drop',
  'reject',
  'queue',
  'fwd',
  'dup',
  'tproxy',
  'redirect',
  'dnat',
  'flow',
  'jump',
  'goto',
];

/** Reads the JSON; items that are not understood are left out. */
export function parseRuleset(items: readonly Json[]): RulesetModel {
  const model: RulesetModel = { tables: [], chains: [], sets: [], flowtables: [] };
  const chains = new Map<string, ChainModel>();
  for (const item of items) {
    const [kind, value] = Object.entries(item)[0] ?? ['', {}];
    const v = record(value);
    const at = { family: text(v['family']), table: text(v['table']), name: text(v['name']) };
    if (kind === 'table') {
      model.tables.push({ family: at.family, name: at.name, dormant: list(v['flags']).includes('dormant') });
    } else if (kind === 'chain') {
      const chain: ChainModel = { ...at, devices: list(v['dev']), rules: [] };
      if (v['hook'] !== undefined) {
        chain.hook = text(v['hook']);
        chain.type = text(v['type']);
        chain.priority = Number(v['prio']);
        chain.policy = text(v['policy']);
      }
      chains.set(`${at.family} ${at.table} ${at.name}`, chain);
    } else if (kind === 'rule') {
      chains.get(`${at.family} ${at.table} ${text(v['chain'])}`)?.rules.push(parseRule(v['expr']));
    } else if (kind === 'set' || kind === 'map') {
      model.sets.push({ ...at, flags: list(v['flags']), size: Number(v['size'] ?? 0) });
    } else if (kind === 'flowtable') {
      model.flowtables.push({ ...at, devices: list(v['dev']), priority: Number(v['prio'] ?? 0) });
    }
  }
  model.chains = [...chains.values()];
  return model;
}

function parseRule(expr: unknown): RuleModel {
  const rule: RuleModel = { verdicts: [], ctStates: [] };
  for (const statement of Array.isArray(expr) ? (expr as unknown[]) : []) {
    for (const [kind, value] of Object.entries(record(statement))) {
      if (VERDICTS.includes(kind)) rule.verdicts.push(kind);
      if (kind !== 'match') continue;
      const { left, right } = record(value);
      if (record(record(left)['ct'])['key'] === 'state') rule.ctStates.push(...list(right));
    }
  }
  return rule;
}

/** The value as an object; nothing in it when it is none. */
function record(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** A JSON value that may be one thing, a list, or `{set: [...]}`. */
function list(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.filter((v): v is string => typeof v === 'string');
  if (typeof value === 'object' && value !== null && 'set' in value) return list(value.set);
  return [];
}
