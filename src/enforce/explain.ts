import type { AllowEntry, ProtectedEntry } from '../domain/decision.js';
import { AppError } from '../util/errors.js';
import { cidrContains, cidrOverlaps, maskIp, parseCidr, type Cidr } from '../util/ip.js';
import type { KernelElement } from './backend/backend.js';
import type { Core } from './core.js';
import type { DecisionBook } from './decisions.js';
import { elementKeyText, type SetElement } from './element.js';
import type { ExemptBook } from './exempt.js';
import type { KeptDecision } from './journal.js';

/** What the responder knows of an address, and what the kernel says. */
export interface ExplainAnswer {
  address: string;
  /** True when packets from it are dropped now, by the kernel's own sets. */
  blocked: boolean;
  protected: ProtectedEntry[];
  allowed: AllowEntry[];
  decisions: (KeptDecision & { simulatedHere: boolean; remainingSecs: number | null })[];
  kernel: ({ set: string; key: string } & KernelElement)[];
}

/** Sets whose elements stop every packet of an address. */
const DROPPING = /^(block|feed|out)[46]_/;

export async function answerExplain(
  core: Core,
  book: DecisionBook,
  exempt: ExemptBook,
  value: string,
): Promise<ExplainAnswer> {
  const network = parseCidr(value);
  if (!network) {
    throw new AppError({
      kind: 'user',
      code: 'enforce.bad_address',
      message: `"${value}" is not an address or prefix.`,
    });
  }
  const kernel = await readKernel(core, network);
  const isExempt = kernel.some((k) => /^(protect|allow)/.test(k.set));
  const nowMs = core.clock.monoMs();
  const decisions: ExplainAnswer['decisions'] = [];
  for (const [, entry] of book.entries()) {
    const about = parseCidr(entry.kept.value);
    if (!about || !cidrOverlaps(about, network)) continue;
    const remainingSecs = entry.deadlineMs === Infinity ? null : Math.round((entry.deadlineMs - nowMs) / 1000);
    decisions.push({ ...entry.kept, simulatedHere: entry.simulated, remainingSecs });
  }
  return {
    address: value,
    blocked: !isExempt && core.backend.name !== 'dry-run' && kernel.some((k) => DROPPING.test(k.set)),
    protected: exempt.protected.filter((p) => cidrOverlaps(p.network, network)).map((p) => p.entry),
    allowed: exempt.allowed.filter((a) => cidrContains(a.network, network)).map((a) => a.entry),
    decisions,
    kernel,
  };
}

/** Looks the address up in every set that is keyed by addresses alone. */
async function readKernel(core: Core, network: Cidr): Promise<ExplainAnswer['kernel']> {
  const elements: SetElement[] = [];
  for (const spec of core.layout.sets.values()) {
    if (spec.key !== 'address' || spec.version !== network.version || spec.prefix > network.prefix) continue;
    elements.push({ set: spec.name, ip: maskIp(network, spec.prefix) });
  }
  const states = await core.pump.run(() => core.backend.lookup(core.layout, elements));
  return elements.flatMap((element, i) => {
    const state = states[i];
    return state ? [{ set: element.set, key: elementKeyText(element), ...pickState(state) }] : [];
  });
}

function pickState(state: KernelElement): KernelElement {
  const { timeoutMs, expiresMs, packets, bytes } = state;
  return { timeoutMs, expiresMs, packets, bytes };
}
