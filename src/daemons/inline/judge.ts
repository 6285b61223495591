import type { InlineMode, InlineVerdict } from '../../contract/inline.js';
import type { Alert } from '../../domain/alert.js';
import type { Detection } from '../../domain/detection.js';
import { firstFailure, type Policy } from '../../policy/index.js';
import { parseCidr, type Cidr } from '../../util/ip.js';

/** What a policy says about the packet of a signature. */
export interface Ruling {
  verdict: InlineVerdict;
  /** For verdict `mark`. */
  mark: number;
  policy: string;
  /** Only to be counted. */
  simulated: boolean;
}

/** Metadata key of what a rule asks for beyond an alert. */
const RULE_ACTION = 'rule_action';

/** Asks the policies in force about detections, as the server does, but with nothing but the packet at hand. */
export class InlineJudge {
  mode: InlineMode = 'observe';
  private ordered: readonly Policy[] = [];
  private readonly home: readonly Cidr[];

  constructor(homeNetworks: readonly string[]) {
    this.home = homeNetworks.map(parseCidr).filter((c) => c !== undefined);
  }

  setPolicies(policies: readonly Policy[]): void {
    this.ordered = [...policies].sort((a, b) => a.priority - b.priority || a.name.localeCompare(b.name));
  }

  /** @returns undefined when the packet may pass. The first policy that matches decides, whether it speaks of packets or not. */
  rule(detection: Detection, nowMs: number): Ruling | undefined {
    if (detection.noBlock === true) return undefined;
    const alert = asAlert(detection);
    const ctx = { nowMs, homeNetworks: this.home, offences: 0 };
    const policy = this.ordered.find((p) => firstFailure(p, alert, ctx) === undefined);
    if (policy?.inline === undefined) return undefined;
    const { verdict, mark = 0 } = policy.inline;
    const wanted = verdict === 'rule' ? ofRule(detection) : verdict;
    if (wanted === undefined) return undefined;
    const simulated = this.mode !== 'enforce' || policy.mode !== 'enforce';
    return { verdict: wanted, mark, policy: policy.name, simulated };
  }
}

const STRENGTH: Readonly<Record<InlineVerdict, number>> = { mark: 1, drop: 2, drop_flow: 3, reject: 4 };

/** The stronger of two: what is done goes before what is only counted. */
export function stronger(a: Ruling | undefined, b: Ruling): Ruling {
  if (a === undefined) return b;
  if (a.simulated !== b.simulated) return a.simulated ? b : a;
  return STRENGTH[b.verdict] > STRENGTH[a.verdict] ? b : a;
}

function ofRule(detection: Detection): InlineVerdict | undefined {
  const action = detection.metadata?.[RULE_ACTION]?.[0];
  if (action === undefined) return undefined;
  return action === 'drop' ? 'drop' : action.startsWith('reject') ? 'reject' : undefined;
}

/** A detection as the alert it would become. */
function asAlert(d: Detection): Alert {
  const atMs = Math.round(d.packetUs / 1000);
  const { metadata = {}, ...rest } = d;
  return {
    ...rest,
    metadata,
    key: '',
    incidentId: '',
    tiers: [d.tier],
    count: 1,
    firstMs: atMs,
    lastMs: atMs,
    state: 'open',
    noBlock: d.noBlock === true,
    victims: [],
    ports: [d.offender === d.srcIp ? d.dstPort : d.srcPort],
  };
}
