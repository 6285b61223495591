import { statSync } from 'node:fs';
import { openFileSource } from '../../src/capture/index.js';
import { createPipeline } from '../../src/daemons/pipeline.js';
import type { Detection } from '../../src/domain/detection.js';
import { behaviourOptionsSchema, createBehaviour, type BehaviourOptions } from '../../src/detect/behaviour/index.js';
import { errorMessage } from '../../src/util/errors.js';
import { cidrContains, formatIpWords, parseCidr, parseIp } from '../../src/util/ip.js';

/** What the behaviour detectors found in one capture. */
export interface Replayed {
  detections: Detection[];
  flows: number;
  packets: number;
  /** First to last packet. */
  secs: number;
  /** Times of the packets of each watched address, microseconds. */
  sentUs: Map<string, number[]>;
  /** Why reading ended early. */
  problem?: string;
}

/** Packet times kept of each watched address: the first of them all, and the first within a time are asked for. */
const MAX_TIMES = 200_000;
const SMALL_BYTES = 500_000;

/** Under this name `sentUs` has the packets whose source is none of the lab's: forged ones. */
export const FORGED = 'forged';
const LAB_NETWORKS = ['10.77.0.0/16', 'fd77::/16', 'fe80::/10'].map((text) => parseCidr(text)!);

function isForged(version: number, text: string): boolean {
  const ip = parseIp(text);
  return (
    version !== 0 &&
    ip !== undefined &&
    text !== '0.0.0.0' &&
    text !== '::' &&
    !LAB_NETWORKS.some((n) => cidrContains(n, ip))
  );
}

/** @param watched addresses whose packets' times are wanted; FORGED among them asks for those of addresses outside the lab. */
export async function replay(
  path: string,
  watched: readonly string[] = [],
  options: BehaviourOptions = behaviourOptionsSchema.parse({}),
): Promise<Replayed> {
  const out: Replayed = { detections: [], flows: 0, packets: 0, secs: 0, sentUs: new Map() };
  const wanted = new Map(watched.map((address) => [address, [] as number[]]));
  const forged = wanted.get(FORGED);
  let firstUs = 0;
  const behaviour = createBehaviour(fitting(options, statSync(path).size), { emit: (d) => out.detections.push(d) });
  const observer = {
    onPacket(p: Parameters<typeof behaviour.onPacket>[0], _f: unknown, slot: number, _d: unknown, isNew: boolean) {
      if (firstUs === 0) firstUs = p.tsUs;
      if (isNew) out.flows++;
      if (wanted.size === 0 || (slot < 0 && p.arpOp === 0)) return;
      const version = p.arpOp === 0 ? p.ipVersion : 4;
      const from = formatIpWords(version, p.src0, p.src1, p.src2, p.src3);
      const times = wanted.get(from) ?? (forged && isForged(version, from) ? forged : undefined);
      if (times && times.length < MAX_TIMES) times.push(p.tsUs);
    },
    stats: () => ({}),
  };
  const pipeline = createPipeline({ flow: { maxFlows: 65_536 } }, { observers: [behaviour, observer] });
  const source = await openFileSource(path);
  try {
    await source.run((block) => pipeline.push(block), new AbortController().signal);
  } catch (error) {
    out.problem = errorMessage(error);
  } finally {
    source.close();
  }
  out.secs = (pipeline.nowUs - firstUs) / 1e6;
  pipeline.tick(pipeline.nowUs + 1e6);
  pipeline.flush();
  return { ...out, packets: pipeline.packets, sentUs: wanted };
}

/** Small captures need no large tables: making them is most of the work for a few packets. */
export function fitting(options: BehaviourOptions, fileBytes: number): BehaviourOptions {
  if (fileBytes > SMALL_BYTES) return options;
  const baseline = { ...options.baseline, maxHosts: 64, maxPeers: 1024 };
  return { ...options, maxSources: 8192, maxTargets: 4096, maxNetworks: 1024, baseline };
}

export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? NaN;
}
