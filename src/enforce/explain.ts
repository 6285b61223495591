import type { AllowEntry, ProtectedEntry } from '../domain/decision.js';
import { AppError } from '../util/errors.js';
import { cidrContains, cidrOverlaps, maskIp, parseCidr, type Cidr } from '../util/ip.js';
import type { KernelElement } from './backend/backend.js';
import type { Core } from './core.js';
import type { DecisionBook } from './decisions.js';
import { elementKeyText, type SetElement } from './element.js';
import type { ExemptBook } from './exempt.js';
import type { KeptDecision } from './journal-record.js';
import { SET_ROLES, type SetRole, type SetSpec } from './layout.js';

/** An element that a packet of the address meets, and what it does with it. */
export interface PacketStep extends KernelElement {
  stage: (typeof STAGES)[SetRole]['stage'];
  set: string;
  key: string;
  /** `none`: an earlier step has decided already. */
  effect: 'accept' | 'drop' | 'limit' | 'count' | 'none';
}

/** What the responder knows of an address, and what the kernel says. */
export interface ExplainAnswer {
  address: string;
  /** True when every packet from it is dropped now, by the kernel's own sets. */
  blocked: boolean;
  /** What happens to a packet from it, to the port asked about if one was. */
  outcome: 'passes' | 'dropped' | 'rate_limited';
  protected: ProtectedEntry[];
  allowed: AllowEntry[];
  decisions: (KeptDecision & { simulatedHere: boolean; remainingSecs: number | null })[];
  /** In the order in which a packet meets them. */
  path: PacketStep[];
}

/** Stages in the order of the chains; `out` sets are asked about packets to the address. */
const STAGES = {
  protect: { stage: 'protected', effect: 'accept' },
  allow: { stage: 'allowed', effect: 'accept' },
  svc: { stage: 'service', effect: 'drop' },
  flow: { stage: 'flow', effect: 'drop' },
  slow: { stage: 'rate_limit', effect: 'limit' },
  block: { stage: 'block', effect: 'drop' },
  feed: { stage: 'feed', effect: 'drop' },
  watch: { stage: 'watch', effect: 'count' },
  svcout: { stage: 'quarantine', effect: 'drop' },
  out: { stage: 'quarantine', effect: 'drop' },
} as const satisfies Record<SetRole, { stage: string; effect: PacketStep['effect'] }>;

/** @param value an address or prefix, or `ADDRESS PROTO PORT` for one kind of packet. */
export async function answerExplain(
  core: Core,
  book: DecisionBook,
  exempt: ExemptBook,
  value: string,
): Promise<ExplainAnswer> {
  const [address = '', proto, port] = value.split(' ');
  const network = parseCidr(address);
  if (!network) {
    throw new AppError({
      kind: 'user',
      code: 'enforce.bad_address',
      message: `"${address}" is not an address or prefix.`,
    });
  }
  const service = port === undefined ? undefined : { proto: Number(proto), port: Number(port) };
  const path = decide(await readKernel(core, network, service));
  const nowMs = core.clock.monoMs();
  const decisions: ExplainAnswer['decisions'] = [];
  for (const [, entry] of book.entries()) {
    const about = parseCidr(entry.kept.value);
    if (!about || !cidrOverlaps(about, network)) continue;
    const remainingSecs = entry.deadlineMs === Infinity ? null : Math.round((entry.deadlineMs - nowMs) / 1000);
    decisions.push({ ...entry.kept, simulatedHere: entry.simulated, remainingSecs });
  }
  const blocks = core.backend.name !== 'dry-run';
  const effects = path.filter((s) => s.stage !== 'quarantine').map((s) => s.effect);
  const isDropped = blocks && effects.includes('drop');
  return {
    address,
    blocked: blocks && path.some((s) => s.effect === 'drop' && (s.stage === 'block' || s.stage === 'feed')),
    outcome: isDropped ? 'dropped' : blocks && effects.includes('limit') ? 'rate_limited' : 'passes',
    protected: exempt.protected.filter((p) => cidrOverlaps(p.network, network)).map((p) => p.entry),
    allowed: exempt.allowed.filter((a) => cidrContains(a.network, network)).map((a) => a.entry),
    decisions,
    path,
  };
}

/** After an accept or a drop nothing else is asked, except about packets to the address. */
function decide(found: PacketStep[]): PacketStep[] {
  let isDecided = false;
  return found.map((step) => {
    const isExempt = step.effect === 'accept';
    if (step.stage === 'quarantine')
      return found.some((s) => s.effect === 'accept') ? { ...step, effect: 'none' } : step;
    if (isDecided) return { ...step, effect: 'none' };
    isDecided = isExempt || step.effect === 'drop';
    return step;
  });
}

/** Looks the address up in every set that it can be in, in the order of the chains. */
async function readKernel(
  core: Core,
  network: Cidr,
  service: { proto: number; port: number } | undefined,
): Promise<PacketStep[]> {
  const specs = [...core.layout.sets.values()]
    .filter((s) => s.version === network.version && s.prefix <= network.prefix)
    .filter((s) => s.key === 'address' || (s.key === 'service' && service !== undefined))
    .sort((a, b) => SET_ROLES.indexOf(a.role) - SET_ROLES.indexOf(b.role) || b.prefix - a.prefix);
  const elements = specs.map((spec): SetElement => ({
    set: spec.name,
    ip: maskIp(network, spec.prefix),
    ...(spec.key === 'service' ? service : {}),
  }));
  const states = await core.pump.run(() => core.backend.lookup(core.layout, elements));
  return specs.flatMap((spec, i) => {
    const state = states[i];
    return state ? [toStep(spec, elements[i]!, state)] : [];
  });
}

function toStep(spec: SetSpec, element: SetElement, state: KernelElement): PacketStep {
  const { timeoutMs, expiresMs, packets, bytes } = state;
  return {
    ...STAGES[spec.role],
    set: spec.name,
    key: elementKeyText(element),
    timeoutMs,
    expiresMs,
    packets,
    bytes,
  };
}
