import { errorMessage } from '../util/errors.js';
import { createNftRunner } from './backend/nft.js';
import { parseNftJson } from './backend/nft-backend.js';
import type { Core } from './core.js';
import { parseRuleset, type RulesetModel } from './doctor/model.js';
import { renderRuleset } from './ruleset.js';

/** The hooks in the order in which a packet passes them. */
const HOOKS = ['ingress', 'prerouting', 'input', 'forward', 'output', 'postrouting', 'egress'];

/** Our table as it is loaded, how full its sets are, and every chain of the box that looks at packets. */
export async function describeRuleset(core: Core, where: { netns?: string }): Promise<Record<string, unknown>> {
  const { layout, backend, ledger } = core;
  const inSet = new Map<string, number>();
  for (const [, { element }] of ledger.entries()) inSet.set(element.set, (inSet.get(element.set) ?? 0) + 1);
  const counters = await core.pump.run(() => backend.counters(layout));
  const { chains, problem } = backend.name === 'dry-run' ? { chains: [], problem: '' } : await readChains(where);
  return {
    table: layout.table,
    backend: backend.name,
    families: [...layout.families],
    chains: chains.map((chain) => ({ ...chain, ours: chain.table === layout.table })),
    problem,
    sets: [...layout.sets.values()].map(({ name, role, version, prefix, size }) => ({
      ...{ name, role, version, prefix, size },
      elements: inSet.get(name) ?? 0,
    })),
    counters: Object.entries(counters).map(([name, { packets, bytes }]) => ({ name, packets, bytes })),
    text: renderRuleset(layout, []),
  };
}

async function readChains(where: { netns?: string }): Promise<{ chains: ReturnType<typeof hooked>; problem: string }> {
  const nft = createNftRunner(where);
  try {
    // Terse: sets without their elements, however many there are.
    const model = parseRuleset(parseNftJson(await nft.run(['-j', '-t', 'list', 'ruleset'])));
    return { chains: hooked(model), problem: '' };
  } catch (error) {
    return { chains: [], problem: errorMessage(error) };
  } finally {
    nft.close();
  }
}

/** Base chains in the order in which a packet meets them. */
export function hooked({ chains }: RulesetModel) {
  return chains
    .flatMap(({ family, table, name, hook, type = '', priority = 0, policy = '', rules }) =>
      hook === undefined ? [] : [{ family, table, chain: name, hook, type, priority, policy, rules: rules.length }],
    )
    .sort((a, b) => HOOKS.indexOf(a.hook) - HOOKS.indexOf(b.hook) || a.priority - b.priority);
}
