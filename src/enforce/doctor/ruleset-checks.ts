import type { EnforceOptions } from '../options.js';
import { ok, problem, warning, type DoctorItem } from './item.js';
import type { ChainModel, RulesetModel } from './model.js';

type Check = (model: RulesetModel, options: EnforceOptions) => DoctorItem | undefined;

/** What in the ruleset would let a blocked packet through, slow us down, or remove our table. */
export function checkRuleset(model: RulesetModel, options: EnforceOptions): DoctorItem[] {
  return CHECKS.flatMap((check) => check(model, options) ?? []);
}

const nameOf = (c: { family: string; table: string; name: string }): string => `${c.family} ${c.table} ${c.name}`;

const isOurs = (c: { table: string }, options: EnforceOptions): boolean => c.table === options.table;

const ownTable: Check = (model, options) => {
  const ours = model.tables.filter((t) => t.name === options.table);
  const title = 'Our table is in the kernel';
  if (ours.length === 0) {
    return warning('ruleset.table', title, {
      detail: `There is no table "${options.table}": nothing is blocked.`,
      fix: 'Start the responder; it builds the table and restores its blocks.',
    });
  }
  if (ours.some((t) => t.dormant)) {
    return problem('ruleset.table', title, {
      detail: `The table "${options.table}" is dormant: its chains see no packet.`,
      fix: `nft add table inet ${options.table}   (clears the flag), or restart the responder.`,
    });
  }
  const hooks = model.chains.filter((c) => isOurs(c, options) && c.hook !== undefined);
  const where = hooks.map((c) => `${c.hook ?? ''} ${c.priority ?? 0}`).join(', ');
  return ok('ruleset.table', title, `It looks at packets at: ${where}.`);
};

/** Accept ends its own base chain only; it matters when drops stand behind it in the same chain. */
const establishedAccept: Check = (model, options) => {
  const title = 'Established sessions are stopped too';
  const accepts = (c: ChainModel): number =>
    c.rules.findIndex((r) => r.ctStates.includes('established') && r.verdicts.includes('accept'));
  const inOurs = model.chains.find((c) => isOurs(c, options) && accepts(c) >= 0);
  if (inOurs) {
    return problem('ruleset.established', title, {
      detail: `${nameOf(inOurs)} accepts established connections: a session that is under way goes on after a block.`,
      fix: 'Somebody changed our table. Restart the responder, which loads it anew.',
    });
  }
  const others = model.chains.filter((c) => c.hook !== undefined && accepts(c) >= 0);
  if (others.length === 0) return ok('ruleset.established', title, 'No base chain accepts established connections.');
  return ok(
    'ruleset.established',
    title,
    `${others.map(nameOf).join(', ')} accept established connections; that ends their own chain only, ours sees the packets before or after.`,
  );
};

const flowtables: Check = (model, options) => {
  const title = 'No flowtable carries packets past us';
  const passing = model.flowtables.filter(
    (f) => !f.devices.every((d) => options.ingress_interfaces.includes(d) && f.priority > options.ingress_priority),
  );
  if (passing.length === 0) return ok('ruleset.flowtable', title, 'No flowtable, or our ingress hook comes first.');
  const devices = [...new Set(passing.flatMap((f) => f.devices))];
  return problem('ruleset.flowtable', title, {
    detail: `${passing.map(nameOf).join(', ')} forwards established flows of ${devices.join(', ')} at the ingress hook: they never reach our chains.`,
    fix: `Set enforce.ingress_interfaces: [${devices.join(', ')}], or take those interfaces out of the flowtable.`,
  });
};

const EARLY_HOOKS = new Set(['ingress', 'prerouting']);

const earlierHooks: Check = (model, options) => {
  const title = 'Nothing takes packets away before us';
  const ourPriority = Math.min(...options.hooks.filter((h) => h.hook === 'prerouting').map((h) => h.priority), 0);
  const early = model.chains.filter(
    (c) =>
      !isOurs(c, options) &&
      EARLY_HOOKS.has(c.hook ?? '') &&
      (c.hook === 'ingress' || (c.priority ?? 0) < ourPriority) &&
      c.family !== 'arp',
  );
  const stealing = early.filter((c) =>
    c.rules.some((r) => r.verdicts.some((v) => ['fwd', 'queue', 'tproxy'].includes(v))),
  );
  if (stealing.length > 0) {
    return warning('ruleset.earlier', title, {
      detail: `${stealing.map(nameOf).join(', ')} run before us and forward or queue packets: those are not screened.`,
      fix: 'Set enforce.ingress_interfaces to the interfaces concerned, or move those rules behind us.',
    });
  }
  const text = early.length === 0 ? 'No chain runs before ours.' : `Before ours run: ${early.map(nameOf).join(', ')}.`;
  return ok('ruleset.earlier', title, text);
};

const COMPANIONS: readonly { match: RegExp; name: string; text: string }[] = [
  { match: /^(docker|DOCKER)/i, name: 'Docker', text: 'publishes ports by DNAT at prerouting -100, after us' },
  { match: /^ufw/i, name: 'ufw', text: 'filters at input and forward 0, after us' },
  { match: /^firewalld/, name: 'firewalld', text: 'reloads its own table only' },
  { match: /^f2b/, name: 'fail2ban', text: 'keeps its own bans; an address may be blocked by both' },
  { match: /^crowdsec/, name: 'CrowdSec', text: 'keeps its own bans; an address may be blocked by both' },
];

const companions: Check = (model, options) => {
  const title = 'Other firewall programs';
  const names = [...model.tables.map((t) => t.name), ...model.chains.map((c) => c.name)];
  const found = COMPANIONS.filter((p) => names.some((n) => p.match.test(n)));
  if (found.length === 0) return ok('ruleset.companions', title, 'None found.');
  const list = found.map((p) => `${p.name} ${p.text}`).join('; ');
  const seesForward = options.hooks.some((h) => h.hook !== 'input');
  if (found.some((p) => p.name === 'Docker') && !seesForward) {
    return problem('ruleset.companions', title, {
      detail: 'Docker forwards to containers, and enforce.hooks names input only: containers are not protected.',
      fix: 'Use the prerouting hook (the default), or add forward.',
    });
  }
  return ok('ruleset.companions', title, `${list}.`);
};

const foreignIntervals: Check = (model, options) => {
  const title = 'Interval sets';
  const found = model.sets.filter((s) => s.flags.includes('interval') && !isOurs(s, options));
  if (found.length === 0) return ok('ruleset.intervals', title, 'None in other tables.');
  return ok('ruleset.intervals', title, `${found.map(nameOf).join(', ')}: harmless while small; see "nft speed".`);
};

const bridges: Check = (model, options) => {
  const chains = model.chains.filter((c) => c.family === 'bridge' && c.hook !== undefined && !isOurs(c, options));
  if (chains.length === 0 || options.bridge) return undefined;
  return warning('ruleset.bridge', 'Bridged traffic', {
    detail: `${chains.map(nameOf).join(', ')} filter bridged traffic, which our inet table does not see.`,
    fix: 'Set enforce.bridge: true.',
  });
};

const CHECKS: readonly Check[] = [
  ownTable,
  establishedAccept,
  flowtables,
  earlierHooks,
  companions,
  foreignIntervals,
  bridges,
];
