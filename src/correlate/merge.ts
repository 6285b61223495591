import type { Alert } from '../domain/alert.js';
import type { Detection, EvidenceItem } from '../domain/detection.js';
import { maxSeverity } from '../domain/severity.js';
import { isWithin } from '../util/ip.js';
import type { CorrelateOptions } from './options.js';

/** Detections that share this key become one alert. Signatures stay apart by rule, behaviours and classes by label. */
export function alertKey(d: Detection, who: string, scopeByVictim: readonly string[]): string {
  const what = d.tier === 'signature' ? `${d.gid}:${d.signatureId}` : d.label;
  return scopeByVictim.includes(d.label) ? `${who} ${what} ${d.victim ?? d.dstIp}` : `${who} ${what}`;
}

/** Whom a detection is counted under. A flood from forged addresses has a target, or a network of them, and no offender. */
export function whoOf(d: Detection): string {
  if (d.metadata?.['scope']?.includes('target') !== true) return d.offender;
  return `target ${d.metadata['network']?.[0] ?? d.victim ?? d.dstIp}`;
}

export function newAlert(d: Detection, ids: { id: string; key: string; incidentId: string }, atMs: number): Alert {
  // One literal and no spread: an alert is made on the way from packet to kernel.
  const alert: Alert = {
    id: ids.id,
    key: ids.key,
    incidentId: ids.incidentId,
    sensor: d.sensor,
    title: d.title,
    label: d.label,
    category: d.category,
    tiers: [d.tier],
    severity: d.severity,
    score: d.score,
    confidence: d.confidence,
    offender: d.offender,
    spoofable: d.spoofable,
    signatureId: d.signatureId,
    gid: d.gid,
    rev: d.rev,
    evidence: [],
    metadata: {},
    count: 0,
    firstMs: Math.round(atMs),
    lastMs: Math.round(atMs),
    state: 'open',
    noBlock: d.noBlock === true,
    packetUs: d.packetUs,
    detectedUs: d.detectedUs,
    victims: [],
    ports: [],
    srcIp: d.srcIp,
    srcPort: d.srcPort,
    dstIp: d.dstIp,
    dstPort: d.dstPort,
    proto: d.proto,
  };
  if (d.victim !== undefined) alert.victim = d.victim;
  if (d.attack !== undefined) alert.attack = d.attack;
  setFlow(alert, d);
  return alert;
}

/** An alert of its own, that later detections do not change; evidence items are never changed once they are there. */
export function copyAlert(alert: Alert): Alert {
  const metadata: Record<string, string[]> = {};
  for (const [name, values] of Object.entries(alert.metadata)) metadata[name] = [...values];
  return {
    ...alert,
    tiers: [...alert.tiers],
    evidence: [...alert.evidence],
    metadata,
    victims: [...alert.victims],
    ports: [...alert.ports],
  };
}

/** Adds a detection to its alert. */
export function mergeDetection(alert: Alert, d: Detection, atMs: number, options: CorrelateOptions): void {
  alert.count += 1 + (d.repeats ?? 0);
  alert.lastMs = Math.max(alert.lastMs, atMs);
  alert.severity = maxSeverity(alert.severity, d.severity);
  alert.noBlock &&= d.noBlock === true;
  if (d.score >= alert.score || alert.count === 1 + (d.repeats ?? 0)) {
    setEndpoints(alert, d);
    alert.title = d.title;
    alert.score = d.score;
  }
  if (alert.attack === undefined && d.attack) alert.attack = d.attack;
  alert.packetUs = d.packetUs;
  alert.detectedUs = d.detectedUs;
  addMetadata(alert, d);
  if (d.features) alert.features = d.features;
  alert.evidence = mergeEvidence(alert.evidence, d.evidence, options.maxEvidence);
  addOnce(alert.victims, d.victim ?? (d.offender === d.srcIp ? d.dstIp : d.srcIp), options.maxVictims);
  addOnce(alert.ports, isWithin(d.srcIp, d.offender) ? d.dstPort : d.srcPort, options.maxPorts);
  if (alert.victims.length > 1) delete alert.victim;
}

/** Adds evidence and metadata about a packet that is counted already. */
export function attest(alert: Alert, d: Detection, options: CorrelateOptions): void {
  addMetadata(alert, d);
  alert.evidence = mergeEvidence(alert.evidence, d.evidence, options.maxEvidence);
}

const SUPPORT = 'model_findings';

/** Counts a finding that is explained by the alert, and says so in its evidence. */
export function addSupport(alert: Alert, d: Detection, atMs: number, options: CorrelateOptions): void {
  const more = 1 + (d.repeats ?? 0);
  alert.count += more;
  alert.lastMs = Math.max(alert.lastMs, atMs);
  // Model and vector stay with the alert: a label on it teaches the model, and its shares can be explained.
  const { model = [], model_id = [] } = d.metadata ?? {};
  addMetadata(alert, { metadata: { model, model_id, model_labels: [d.label] } });
  if (d.features) alert.features = d.features;
  const before = alert.evidence.find((item) => item.name === SUPPORT)?.value;
  const value = more + (typeof before === 'number' ? before : 0);
  const labels = alert.metadata['model_labels']!.join(', ');
  const item = { name: SUPPORT, value, unit: 'flows', text: `models flagged ${value} of its flows as ${labels}` };
  alert.evidence = mergeEvidence(alert.evidence, [item], options.maxEvidence);
}

const MAX_METADATA_KEYS = 32;
const MAX_METADATA_VALUES = 16;

function addMetadata(alert: Alert, d: Pick<Detection, 'metadata'>): void {
  for (const [name, values] of Object.entries(d.metadata ?? {})) {
    const known = alert.metadata[name];
    if (!known && Object.keys(alert.metadata).length >= MAX_METADATA_KEYS) continue;
    const list = (alert.metadata[name] = known ?? []);
    for (const value of values) addOnce(list, value, MAX_METADATA_VALUES);
  }
}

function setEndpoints(alert: Alert, d: Detection): void {
  alert.srcIp = d.srcIp;
  alert.srcPort = d.srcPort;
  alert.dstIp = d.dstIp;
  alert.dstPort = d.dstPort;
  alert.proto = d.proto;
  setFlow(alert, d);
}

function setFlow(alert: Alert, d: Detection): void {
  if (d.flowId !== undefined) alert.flowId = d.flowId;
  if (d.communityId !== undefined) alert.communityId = d.communityId;
  if (d.appProto !== undefined) alert.appProto = d.appProto;
}

/** The newest value of each piece of evidence; at most `max`, the earliest kept. */
function mergeEvidence(have: readonly EvidenceItem[], more: readonly EvidenceItem[], max: number): EvidenceItem[] {
  const byName = new Map(have.map((item) => [item.name, item]));
  for (const item of more) if (byName.has(item.name) || byName.size < max) byName.set(item.name, item);
  return [...byName.values()];
}

function addOnce<T extends string | number>(list: T[], value: T, max: number): void {
  if (value === 0 || value === '') return;
  if (list.length < max && !list.includes(value)) list.push(value);
}
