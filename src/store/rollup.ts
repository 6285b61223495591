import type { FlowRecord } from '../domain/flow.js';
import { PROTO } from '../domain/packet.js';
import type { RollupRow } from './entities/traffic.js';

const PROTOCOL_NAMES = new Map(Object.entries(PROTO).map(([name, number]) => [number as number, name.toLowerCase()]));

const MINUTE_MS = 60_000;
/** Addresses kept a minute while counting, and written at its end. */
const MAX_TALKERS = 2000;
const TOP_TALKERS = 20;

interface Sum {
  flows: number;
  packets: number;
  bytes: number;
}

export interface FlowRollup {
  add(flow: FlowRecord, nowMs: number): void;
  /** Sums of the minutes that are over; all of them with `nowMs` = Infinity. */
  take(nowMs: number): RollupRow[];
}

/**
 * Adds flows up by minute, protocol and address. While a minute runs at most {@link MAX_TALKERS} addresses are
 * counted; the first to come stay, so a flood of random sources cannot push out the busy ones.
 */
export function createFlowRollup(): FlowRollup {
  let minuteMs = 0;
  let protocols = new Map<string, Sum>();
  let talkers = new Map<string, Sum>();
  let done: RollupRow[] = [];

  function bump(sums: Map<string, Sum>, name: string, flow: FlowRecord, max: number): void {
    let sum = sums.get(name);
    if (!sum) {
      if (sums.size >= max) return;
      sum = { flows: 0, packets: 0, bytes: 0 };
      sums.set(name, sum);
    }
    sum.flows += 1;
    sum.packets += flow.packetsFwd + flow.packetsBwd;
    sum.bytes += flow.bytesFwd + flow.bytesBwd;
  }

  function close(): void {
    const row = (kind: string, [name, sum]: [string, Sum]): RollupRow => ({
      ...{ atMs: minuteMs, kind, name, alerts: 0, lastMs: minuteMs },
      ...sum,
    });
    const top = [...talkers].sort((a, b) => b[1].bytes - a[1].bytes).slice(0, TOP_TALKERS);
    done.push(...[...protocols].map((entry) => row('protocol', entry)), ...top.map((entry) => row('talker', entry)));
    protocols = new Map();
    talkers = new Map();
  }

  function roll(nowMs: number): void {
    const current = nowMs - (nowMs % MINUTE_MS);
    if (current === minuteMs) return;
    if (protocols.size > 0) close();
    minuteMs = current;
  }

  return {
    add(flow, nowMs) {
      roll(nowMs);
      const name = flow.appProto ?? PROTOCOL_NAMES.get(flow.proto) ?? `ip ${flow.proto}`;
      bump(protocols, name.slice(0, 45), flow, 100);
      bump(talkers, flow.srcIp, flow, MAX_TALKERS);
      bump(talkers, flow.dstIp, flow, MAX_TALKERS);
    },
    take(nowMs) {
      if (nowMs === Infinity) {
        if (protocols.size > 0) close();
      } else roll(nowMs);
      const rows = done;
      done = [];
      return rows;
    },
  };
}
