import { closeSync, openSync, writeSync } from 'node:fs';
import { BENIGN_LABEL } from '../../contract/model-card.js';
import { INDEPENDENT_TIERS, type Tier } from '../../domain/detection.js';
import type { Store, StoredLabel } from '../../store/index.js';
import { flowClass, type LiveVector, type TrainingOptions } from '../../train/index.js';
import { cidrContains, parseCidr, parseIp, type Cidr } from '../../util/ip.js';

const DAY_MS = 86_400_000;
const MAX_LABELS = 100_000;
/** Sampled flows count as benign this long after they were seen: alerts about their hosts have had time to come. */
const QUARANTINE_MS = 3_600_000;
const SAMPLE_DAYS = 14;
/** Alerts older than this are gone from many stores; what people did about them no longer counts. */
const OUTCOME_DAYS = 60;
const ALERT_CHUNK = 500;
const DB_CHUNK = 2000;

/** An alert of another tier speaks about a label given within this time of it. */
const WITNESS_MS = DAY_MS;

export interface LiveData {
  vectors: LiveVector[];
  /** Labels that say nothing to this model: unsure, without a vector, or of a class it is not taught. */
  leftOut: number;
}

/** Labelled alerts and sampled flows of a feature schema, as a training run takes them. */
export async function gatherLiveData(
  store: Store,
  options: TrainingOptions,
  about: { schema: string; nowMs: number },
): Promise<LiveData> {
  const networks = options.protectedNetworks.flatMap((text) => parseCidr(text) ?? []);
  const sinceMs = about.nowMs - OUTCOME_DAYS * DAY_MS;
  const labels = await judgements(store, 0, sinceMs);
  const witnesses = await witnessesOf(store, sinceMs);
  const vectors: LiveVector[] = [];
  let leftOut = 0;
  for (const label of labels) {
    const vector = fromLabel(label, about.schema, networks, witnesses(label));
    if (vector) vectors.push(vector);
    else leftOut++;
  }
  const attackers = labels.filter((l) => l.verdict === 'true_positive').flatMap((l) => l.source ?? []);
  for (const sample of await benignSamples(store, options, about, attackers)) {
    vectors.push({
      values: sample.values,
      label: BENIGN_LABEL,
      source: sample.srcIp,
      analyst: '',
      alertId: '',
      alertLabel: '',
      witnesses: [],
      atMs: sample.atMs,
      isProtected: isWithin(networks, sample.srcIp) || isWithin(networks, sample.dstIp),
    });
  }
  return { vectors, leftOut };
}

/** Labels since a time that a model of this schema could learn from; cheap enough for a status page. */
export async function countNewLabels(store: Store, schema: string, sinceMs: number): Promise<number> {
  const labels = await judgements(store, sinceMs, sinceMs);
  const usable = labels.filter((l) => fromLabel(l, schema, [], []) !== undefined);
  return new Set(usable.map((l) => l.alertId)).size;
}

/** Independent tiers that accuse the source of a label: on its alert when it was judged, or within a day on another. */
async function witnessesOf(store: Store, sinceMs: number): Promise<(label: StoredLabel) => Tier[]> {
  const byOffender = new Map<string, { tiers: readonly Tier[]; lastMs: number }[]>();
  for (const { offender, tiers, lastMs } of await store.training.accusations(sinceMs)) {
    const list = byOffender.get(offender) ?? [];
    byOffender.set(offender, list);
    list.push({ tiers, lastMs });
  }
  return ({ source = '', tiers = [], createdMs }) => {
    const near = (byOffender.get(source) ?? []).filter((a) => Math.abs(a.lastMs - createdMs) <= WITNESS_MS);
    const all = new Set([...tiers, ...near.flatMap((a) => a.tiers)]);
    return INDEPENDENT_TIERS.filter((tier) => all.has(tier));
  };
}

/** What people said of alerts, and, where they said nothing, what they did about them. */
async function judgements(store: Store, sinceMs: number, outcomesSinceMs: number): Promise<StoredLabel[]> {
  const labels = wordsOfEach(await store.labels.since(sinceMs, MAX_LABELS));
  return [...labels, ...(await outcomes(store, outcomesSinceMs))];
}

/**
 * Attacks by their outcome: a person extended the block that a policy had made, or blocked the offender by hand. The
 * opposite is not certain: a block is also lifted, and an address allowed, because the scanner is one's own.
 */
async function outcomes(store: Store, sinceMs: number): Promise<StoredLabel[]> {
  const confirmed = new Map((await store.training.confirmed(sinceMs)).map((c) => [c.alertId, c]));
  const found: StoredLabel[] = [];
  const ids = [...confirmed.keys()];
  for (let at = 0; at < ids.length; at += ALERT_CHUNK) {
    for (const alert of await store.alerts.getMany(ids.slice(at, at + ALERT_CHUNK))) {
      if (alert.labelVerdict !== undefined || alert.features === undefined) continue;
      const { user, atMs } = confirmed.get(alert.id)!;
      found.push({
        id: alert.id,
        alertId: alert.id,
        verdict: 'true_positive',
        user,
        createdMs: atMs,
        alertLabel: alert.label,
        source: alert.offender,
        tiers: alert.tiers,
        features: alert.features,
      });
    }
  }
  return found;
}

/**
 * A person may change their mind: the last word of each on an alert counts. Two people's words both do, so that nobody can
 * overwrite what another said; `unsure` as the last word of all takes an alert out.
 * @param labels oldest first
 */
function wordsOfEach(labels: readonly StoredLabel[]): StoredLabel[] {
  const last = new Map(labels.map((l) => [l.alertId, l]));
  const words = new Map(labels.map((l) => [`${l.alertId} ${l.user}`, l]));
  return [...words.values()].filter((l) => last.get(l.alertId)!.verdict !== 'unsure');
}

function fromLabel(
  label: StoredLabel,
  schema: string,
  networks: readonly Cidr[],
  witnesses: Tier[],
): LiveVector | undefined {
  const { features } = label;
  if (!features || features.schema !== schema || label.verdict === 'unsure') return undefined;
  const name = label.verdict === 'false_positive' ? BENIGN_LABEL : attackClass(label, schema);
  if (name === undefined) return undefined;
  const source = label.source ?? label.alertId;
  return {
    values: features.values,
    label: name,
    source,
    analyst: label.user,
    alertId: label.alertId,
    alertLabel: label.alertLabel,
    witnesses,
    atMs: label.createdMs,
    isProtected: isWithin(networks, source),
  };
}

/** The class a person named stands; what a detector called it is translated into the classes of flow models. */
function attackClass(label: StoredLabel, schema: string): string | undefined {
  if (schema !== 'flow') return label.class ?? label.alertLabel;
  if (label.class !== undefined) return flowClass(label.class) ?? label.class;
  if (label.alertLabel === 'unknown' || label.alertLabel === 'anomaly') return 'attack';
  return flowClass(label.alertLabel);
}

function isWithin(networks: readonly Cidr[], address: string): boolean {
  const ip = networks.length === 0 ? undefined : parseIp(address);
  return ip !== undefined && networks.some((network) => cidrContains(network, ip));
}

/** Sampled flows whose two ends neither an alert nor a person accuses, whatever another person says. */
async function benignSamples(
  store: Store,
  options: TrainingOptions,
  about: { schema: string; nowMs: number },
  attackers: readonly string[],
) {
  if (options.maxSamples === 0) return [];
  const fromMs = about.nowMs - SAMPLE_DAYS * DAY_MS;
  const accused = new Set([...(await store.training.accused(fromMs)), ...attackers]);
  const kept: Awaited<ReturnType<Store['samples']['between']>> = [];
  for (let toMs = about.nowMs - QUARANTINE_MS; kept.length < options.maxSamples;) {
    const part = await store.samples.between(about.schema, fromMs, toMs, DB_CHUNK);
    kept.push(...part.filter((s) => !accused.has(s.srcIp) && !accused.has(s.dstIp)));
    const last = part.at(-1);
    if (!last || part.length < DB_CHUNK) break;
    toMs = last.atMs - 1;
  }
  return kept.slice(0, options.maxSamples);
}

/** One JSON object a line, for the training process. */
export function writeLiveData(path: string, vectors: readonly LiveVector[]): void {
  const fd = openSync(path, 'w', 0o640);
  try {
    for (const vector of vectors) writeSync(fd, `${JSON.stringify(vector)}\n`);
  } finally {
    closeSync(fd);
  }
}
