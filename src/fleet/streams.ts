import { AckPolicy, DiscardPolicy, RetentionPolicy, StorageType, type StreamConfig } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import type { Session } from './bus.js';
import { BUCKETS, PARTITIONS, STREAMS, SUBJECTS } from './names.js';

const MINUTE_MS = 60_000;
const toNanos = (ms: number): number => ms * 1_000_000;
const MIB = 1024 * 1024;

/** A detection that no server has confirmed in this time is given out again, also one that was lost with its connection. */
const ACK_WAIT_MS = 5000;
/** Messages of a partition, of up to 64 detections each: what a server holds while its database is away is bounded. */
export const MAX_UNCONFIRMED = 500;

interface Sizes {
  replicas: number;
  /** Disk for detections that wait for a server. */
  streamMiB: number;
  /** 5 s unless given. */
  ackWaitMs?: number | undefined;
}

type NewStream = Partial<StreamConfig> & { name: string };

function streams({ replicas, streamMiB }: Sizes): NewStream[] {
  const common = { num_replicas: replicas, storage: StorageType.File, discard: DiscardPolicy.Old };
  const queue = { ...common, retention: RetentionPolicy.Workqueue, duplicate_window: toNanos(2 * MINUTE_MS) };
  return [
    {
      ...queue,
      name: STREAMS.detections,
      subjects: ['portcullis.detection.>'],
      max_bytes: streamMiB * MIB,
    },
    {
      ...queue,
      name: STREAMS.flows,
      subjects: ['portcullis.flows.>'],
      max_bytes: Math.ceil(streamMiB / 4) * MIB,
    },
    {
      ...common,
      name: STREAMS.reports,
      subjects: ['portcullis.report.>'],
      retention: RetentionPolicy.Limits,
      max_age: toNanos(60 * MINUTE_MS),
      max_bytes: Math.ceil(streamMiB / 4) * MIB,
    },
  ];
}

/** Makes what is missing; what exists stays as it is. Servers do this, whoever comes first. */
export async function ensureStreams(session: Session, sizes: Sizes): Promise<void> {
  const { jsm, js } = session;
  const ensure = consumerMaker(session, sizes.ackWaitMs ?? ACK_WAIT_MS);
  const kvm = new Kvm(js);
  // Each is a group of the cluster that chooses a leader of its own: at the same time, or a first start takes a minute.
  await Promise.all([
    ...Object.values(BUCKETS).map((name) => kvm.create(name, { replicas: sizes.replicas, history: 1 })),
    ...streams(sizes).map((config) => jsm.streams.info(config.name).catch(() => jsm.streams.add(config))),
  ]);
  await Promise.all([
    ...Array.from({ length: PARTITIONS }, (_, partition) =>
      ensure(STREAMS.detections, consumerOf(partition), SUBJECTS.detection(partition, '*')),
    ),
    ensure(STREAMS.flows, 'flows', SUBJECTS.flows('*')),
  ]);
}

export const consumerOf = (partition: number): string => `partition-${partition}`;

function consumerMaker({ jsm }: Session, ackWaitMs: number) {
  return async (stream: string, name: string, subject: string): Promise<void> => {
    try {
      await jsm.consumers.info(stream, name);
    } catch {
      await jsm.consumers.add(stream, {
        durable_name: name,
        filter_subject: subject,
        ack_policy: AckPolicy.Explicit,
        ack_wait: toNanos(ackWaitMs),
        max_ack_pending: MAX_UNCONFIRMED,
      });
    }
  };
}
