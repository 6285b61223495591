import type { AllowEntry, Decision, ProtectedEntry } from '../domain/decision.js';
import { fromCrcLine, toCrcLine } from '../util/crc-line.js';

/** What the responder remembers of a decision: enough to enforce, explain and report it again. */
export type KeptDecision = Omit<
  Decision,
  'trace' | 'alertIds' | 'enforcement' | 'error' | 'set' | 'hitPackets' | 'hitBytes' | 'lastHitMs'
>;

/** A decision of a list without what all of its run share: id, value, createdMs, expiresMs. */
type Row = [id: string, value: string, createdMs: number, expiresMs: number];
type Shared = Omit<KeptDecision, 'id' | 'value' | 'createdMs' | 'expiresMs'>;

export type JournalRecord =
  | { t: 'put'; d: KeptDecision }
  | { t: 'del'; id: string }
  | { t: 'allow'; entries: AllowEntry[] }
  /** What the names in the allowlist stood for. */
  | { t: 'names'; known: Record<string, string[]> }
  | { t: 'protect'; entries: ProtectedEntry[] }
  /** Break-glass: decisions made before this time must not come back. */
  | { t: 'flush'; atMs: number };

/** As written: decisions of a list that differ in few fields share a line. */
export type JournalLine = JournalRecord | { t: 'puts'; of: Shared; rows: Row[] };

/** From so many decisions on a line is shared; a line that is damaged takes all of its decisions with it. */
const SHARE_FROM = 16;
const MAX_ROWS = 1000;

/** The same text, once in memory: a list of a hundred thousand says the same reason a hundred thousand times. */
function shareText<T extends string | undefined>(text: T, like: T | undefined): T {
  return like !== undefined && like === text ? like : text;
}

/**
 * Drops what is not needed again, so that 100,000 feed entries stay small; written out, because a copy of the rest is
 * slow.
 * @param like a decision that may share texts with this one
 */
export function keepDecision(d: Decision | KeptDecision, like?: KeptDecision): KeptDecision {
  return kept(d, [d.id, d.value, d.createdMs, d.expiresMs], like);
}

function kept(d: Shared, [id, value, createdMs, expiresMs]: Row, like: KeptDecision | undefined): KeptDecision {
  const out: KeptDecision = {
    id,
    action: d.action,
    scope: d.scope,
    value,
    traffic: d.traffic,
    durationSecs: d.durationSecs,
    createdMs,
    expiresMs,
    origin: d.origin,
    actor: shareText(d.actor, like?.actor),
    reason: shareText(d.reason, like?.reason),
    simulated: d.simulated,
    mode: d.mode,
    step: d.step,
  };
  if (d.proto !== undefined) out.proto = d.proto;
  if (d.port !== undefined) out.port = d.port;
  if (d.peer !== undefined) out.peer = d.peer;
  if (d.peerPort !== undefined) out.peerPort = d.peerPort;
  if (d.policy !== undefined) out.policy = shareText(d.policy, like?.policy);
  if (d.policyVersion !== undefined) out.policyVersion = d.policyVersion;
  if (d.incidentId !== undefined) out.incidentId = d.incidentId;
  return out;
}

function isSameBesidesRow(a: KeptDecision, b: KeptDecision): boolean {
  return (
    a.reason === b.reason &&
    a.actor === b.actor &&
    a.action === b.action &&
    a.scope === b.scope &&
    a.traffic === b.traffic &&
    a.durationSecs === b.durationSecs &&
    a.origin === b.origin &&
    a.simulated === b.simulated &&
    a.mode === b.mode &&
    a.step === b.step &&
    a.proto === b.proto &&
    a.port === b.port &&
    a.peer === b.peer &&
    a.peerPort === b.peerPort &&
    a.policy === b.policy &&
    a.policyVersion === b.policyVersion &&
    a.incidentId === b.incidentId
  );
}

const toLine = (line: JournalLine): string => toCrcLine(line);

/** Records as text, each line with a checksum; runs of similar decisions in one line. */
export function toLines(records: readonly JournalRecord[]): string {
  let text = '';
  for (let i = 0; i < records.length;) {
    const first = records[i]!;
    let end = i + 1;
    if (first.t === 'put') {
      for (; end < records.length && end - i < MAX_ROWS; end++) {
        const next = records[end]!;
        if (next.t !== 'put' || !isSameBesidesRow(first.d, next.d)) break;
      }
    }
    if (first.t !== 'put' || end - i < SHARE_FROM) {
      for (; i < end; i++) text += toLine(records[i]!);
      continue;
    }
    const { id: _id, value: _value, createdMs: _createdMs, expiresMs: _expiresMs, ...of } = first.d;
    const rows: Row[] = [];
    for (; i < end; i++) {
      const record = records[i]!;
      if (record.t === 'put') rows.push([record.d.id, record.d.value, record.d.createdMs, record.d.expiresMs]);
    }
    text += toLine({ t: 'puts', of, rows });
  }
  return text;
}

/** @returns undefined when the line was cut off or changed. */
export function parseLine(line: Buffer): JournalLine | undefined {
  return fromCrcLine(line) as JournalLine | undefined;
}

/** The decisions of a shared line. */
export function* decisionsOf({ of, rows }: { of: Shared; rows: readonly Row[] }): Generator<KeptDecision> {
  let like: KeptDecision | undefined;
  for (const row of rows) {
    like ??= kept(of, row, undefined);
    yield kept(of, row, like);
  }
}
