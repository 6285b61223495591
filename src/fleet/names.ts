import { createHash } from 'node:crypto';

/** Key-value buckets: `KV_` and the name is the stream behind each. */
export const BUCKETS = {
  decisions: 'PORTCULLIS_DECISIONS',
  members: 'PORTCULLIS_MEMBERS',
  leases: 'PORTCULLIS_LEASES',
  trust: 'PORTCULLIS_TRUST',
} as const;

export const STREAMS = {
  detections: 'PORTCULLIS_DETECTIONS',
  flows: 'PORTCULLIS_FLOWS',
  reports: 'PORTCULLIS_REPORTS',
} as const;

/** Every subject ends in the name of the member that speaks: the NATS servers see to it that nobody uses another's. */
export const SUBJECTS = {
  /** A decision at once, beside its entry in the bucket. */
  say: (member: string) => `portcullis.say.${member}`,
  /** A member that is back asks the servers what was said meanwhile. */
  ask: (member: string) => `portcullis.ask.${member}`,
  /** The answer, for that member alone. */
  tell: (member: string) => `portcullis.tell.${member}`,
  detection: (partition: number | '*', member: string) => `portcullis.detection.${partition}.${member}`,
  flows: (member: string) => `portcullis.flows.${member}`,
  reports: (member: string) => `portcullis.report.${member}`,
} as const;

/** Sources are spread over so many parts; each belongs to one server at a time. */
export const PARTITIONS = 8;

/** Answers to a member; nobody else may listen there. */
export const inboxOf = (member: string): string => `_INBOX_${member}`;

/** The part of the work that a source belongs to. */
export function partitionOf(offender: string): number {
  return createHash('sha256').update(offender).digest().readUInt32BE(0) % PARTITIONS;
}

/** Last token of a subject. */
export function speakerOf(subject: string): string {
  return subject.slice(subject.lastIndexOf('.') + 1);
}
