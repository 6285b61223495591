import { TIER_GID, type Detection, type EvidenceItem } from '../../domain/detection.js';
import type { Severity } from '../../domain/severity.js';
import type { FlowColumns } from '../../domain/flow.js';
import { PROTO } from '../../domain/packet.js';
import { formatIpWords } from '../../util/ip.js';
import { uuid7 } from '../../util/uuid7.js';
import type { BehaviourEntry } from './catalogue.js';
import type { AddressTable } from './address-table.js';

export interface BehaviourDeps {
  emit: (detection: Detection) => void;
  /** Name of this sensor in detections. */
  sensor?: string;
  newId?: () => string;
  /** Microseconds since the epoch, for `detectedUs`; packet time of the decision unless given. */
  nowUs?: () => number;
}

/** What a detector knows of its finding; the reporter adds the rest. */
export interface Finding {
  entry: BehaviourEntry;
  offender: string;
  victim?: string;
  spoofable: boolean;
  /** 0..1: how far beyond its threshold. */
  score: number;
  confidence: number;
  evidence: EvidenceItem[];
  label?: string;
  title?: string;
  severity?: Severity;
  appProto?: string;
  noBlock?: boolean;
  metadata?: Record<string, string[]>;
  srcIp: string;
  srcPort: number;
  dstIp: string;
  dstPort: number;
  proto: number;
  flowId?: number;
  packetUs: number;
  packetNumber: number;
  /** Packet time of the decision, when time decided and no packet; else that of the packet. */
  decidedUs?: number;
}

/** A proof this long after the finding still has it judged again, microseconds. */
const PROOF_COUNTS_US = 600e6;
/** Findings that wait for their offender to prove its address. */
const MAX_UNPROVEN = 4096;

/** Makes detections and holds back repetitions. */
export class Reporter {
  reported = 0;
  private readonly deps: BehaviourDeps;
  private readonly realertUs: number;
  /** Newest finding of each offender and behaviour whose address could be forged, oldest first. */
  private readonly unproven = new Map<string, Finding>();

  constructor(deps: BehaviourDeps, realertSecs: number) {
    this.deps = deps;
    this.realertUs = realertSecs * 1e6;
  }

  /** A memory of when each entry of a table was last reported for one behaviour. */
  limiter(table: AddressTable): Limiter {
    return new Limiter(table, this.realertUs);
  }

  get isWaitingForProof(): boolean {
    return this.unproven.size > 0;
  }

  /** The address just proved itself: what it was found doing lately is reported again, so that it is judged again. */
  proved(offender: string, packetUs: number): void {
    for (const [key, finding] of this.unproven) {
      if (finding.offender !== offender) continue;
      this.unproven.delete(key);
      if (packetUs - finding.packetUs > PROOF_COUNTS_US) continue;
      this.report({ ...finding, spoofable: false, packetUs, packetNumber: 0, decidedUs: packetUs });
    }
  }

  private remember(finding: Finding): void {
    const key = `${finding.offender} ${finding.entry.id} ${finding.label ?? ''}`;
    this.unproven.delete(key);
    if (!finding.spoofable) return;
    if (this.unproven.size >= MAX_UNPROVEN) {
      const oldest = this.unproven.keys().next().value;
      if (oldest !== undefined) this.unproven.delete(oldest);
    }
    this.unproven.set(key, finding);
  }

  report(finding: Finding): void {
    this.remember(finding);
    const { entry, packetNumber, decidedUs, ...rest } = finding;
    const packetMs = finding.packetUs / 1000;
    this.reported++;
    this.deps.emit({
      label: entry.label,
      title: entry.title,
      severity: entry.severity,
      ...rest,
      id: this.deps.newId?.() ?? uuid7(Math.floor(packetMs)),
      tier: 'behaviour',
      signatureId: entry.id,
      gid: TIER_GID.behaviour,
      rev: entry.rev,
      category: entry.category,
      attack: entry.attack,
      detectedUs: this.deps.nowUs?.() ?? decidedUs ?? finding.packetUs,
      sensor: this.deps.sensor ?? 'local',
      ...(packetNumber > 0 ? { packetNumber } : {}),
    });
  }
}

/** At most one report an entry and re-alert interval. */
export class Limiter {
  private readonly table: AddressTable;
  private readonly intervalUs: number;
  private readonly generation: Uint32Array;
  private readonly lastUs: Float64Array;

  constructor(table: AddressTable, intervalUs: number) {
    this.table = table;
    this.intervalUs = intervalUs;
    this.generation = new Uint32Array(table.capacity);
    this.lastUs = new Float64Array(table.capacity);
  }

  /** True when the entry was not reported within the interval. */
  isDue(index: number, nowUs: number): boolean {
    return this.generation[index] !== this.table.generation(index) || nowUs - this.lastUs[index]! >= this.intervalUs;
  }

  /** Forgets that the entry was reported. */
  clear(index: number): void {
    this.lastUs[index] = -Infinity;
  }

  mark(index: number, nowUs: number): void {
    this.generation[index] = this.table.generation(index);
    this.lastUs[index] = nowUs;
    this.table.raise(index, 4);
  }
}

/** Columns that name a flow. */
type Named = Pick<FlowColumns, 'flowId' | 'ipVersion' | 'proto' | 'srcAddr' | 'srcPort' | 'dstAddr' | 'dstPort'>;

/** Endpoints of a flow for a finding. */
export function endpointsOf(
  flows: Named,
  slot: number,
): Pick<Finding, 'srcIp' | 'srcPort' | 'dstIp' | 'dstPort' | 'proto' | 'flowId'> {
  const at = 4 * slot;
  const version = flows.ipVersion[slot]!;
  const proto = flows.proto[slot]!;
  const hasPorts = proto === PROTO.TCP || proto === PROTO.UDP || proto === PROTO.SCTP;
  const text = (a: Uint32Array): string => formatIpWords(version, a[at]!, a[at + 1]!, a[at + 2]!, a[at + 3]!);
  return {
    srcIp: text(flows.srcAddr),
    srcPort: hasPorts ? flows.srcPort[slot]! : 0,
    dstIp: text(flows.dstAddr),
    dstPort: hasPorts ? flows.dstPort[slot]! : 0,
    proto,
    flowId: flows.flowId[slot]!,
  };
}

/** Score of a count against its threshold: 0.5 at the threshold, towards 1 beyond. */
export function scoreOf(count: number, threshold: number): number {
  return count / (count + threshold);
}
