import { openFileSource } from '../../src/capture/index.js';
import { createPipeline } from '../../src/daemons/pipeline.js';
import { createSignatures } from '../../src/daemons/signatures.js';
import { signatureOptionsSchema, type SignatureInput } from '../../src/detect/signature/options.js';
import type { Detection } from '../../src/domain/detection.js';
import { AppError } from '../../src/util/errors.js';
import { canonicalAddress } from '../../src/util/ip.js';

/** What an alert is about: which rule, on which flow of which capture. */
export interface Finding {
  sid: number;
  flow: string;
  capture: string;
  /** 1-based number of the packet that the alert came with; 0 when there was none. */
  packet: number;
}

/** Protocols by the names that EVE has for them; others are told apart by their addresses. */
const PROTOS: Readonly<Record<number, string>> = { 1: 'ICMP', 6: 'TCP', 17: 'UDP', 58: 'IPv6-ICMP', 132: 'SCTP' };
const KNOWN = new Set(Object.values(PROTOS));
const WITH_PORTS = new Set(['TCP', 'UDP', 'SCTP']);

/** Protocol and both ends, the lower one first, so that direction does not matter; ports only where there are some. */
export function flowKey(proto: string, src: readonly [string, number], dst: readonly [string, number]): string {
  const end = ([ip, port]: readonly [string, number]): string =>
    `${canonicalAddress(ip) ?? ip} ${WITH_PORTS.has(proto) ? port : 0}`;
  return [KNOWN.has(proto) ? proto : 'IP', ...[end(src), end(dst)].sort()].join(' ');
}

/** Of a packet whose addresses could not be read. */
export const NO_FLOW = 'none';

export const findingKey = (f: Finding): string => `${f.capture} ${f.sid} ${f.flow}`;

function toFinding(d: Detection, capture: string): Finding {
  const flow = flowKey(PROTOS[d.proto] ?? '', [d.srcIp, d.srcPort], [d.dstIp, d.dstPort]);
  return { sid: d.signatureId, capture, packet: d.packetNumber ?? 0, flow };
}

/** Rules that name our own network and that of others mean every address. */
const ANY = { HOME_NET: 'any', EXTERNAL_NET: 'any' };

/** Captures are this far apart in time, longer than any limit or bit lasts: none counts for another one. */
const APART_US = 10 * 86_400 * 1_000_000;

/** What each rule of a file has matched in captures: the bytes that its alerts show, each value once. */
export async function matchedBytes(
  rules: string,
  captures: readonly string[],
): Promise<{ sid: number; bytes: Uint8Array }[]> {
  const values = new Map<string, { sid: number; bytes: Uint8Array }>();
  await replay([rules], captures, { maxAlertsPerPacket: 1000 }, (detection) => {
    const shown = detection.evidence.find((item) => item.name === 'matched_bytes')?.value;
    if (typeof shown !== 'string') return;
    const text = shown.replace(/\\x(..)/g, (_all, hex: string) => String.fromCharCode(parseInt(hex, 16)));
    values.set(`${detection.signatureId} ${shown}`, { sid: detection.signatureId, bytes: Buffer.from(text, 'latin1') });
  });
  return [...values.values()];
}

/**
 * Runs rules over captures with one engine; each capture has flows, and limits, of its own.
 * @param onDetection sees every alert, too
 */
export async function replay(
  rules: readonly string[],
  captures: readonly string[],
  options: SignatureInput = {},
  onDetection: (detection: Detection) => void = () => undefined,
): Promise<{ findings: Finding[]; packets: number; unreadable: number; problems: number }> {
  const findings: Finding[] = [];
  let capture = '';
  let packets = 0;
  let unreadable = 0;
  let endUs = 0;
  const signatures = createSignatures(
    { ...signatureOptionsSchema.parse({ rules, addresses: ANY, ...options }), stream: {} },
    {
      emit: (detection) => {
        findings.push(toFinding(detection, capture));
        onDetection(detection);
      },
      sensor: 'replay',
    },
  );
  for (capture of captures) {
    const pipeline = createPipeline({}, { observers: [signatures.observer] });
    let source: Awaited<ReturnType<typeof openFileSource>> | undefined;
    try {
      source = await openFileSource(capture);
      let laterUs = NaN;
      await source.run((block) => {
        if (Number.isNaN(laterUs) && block.count > 0) laterUs = Math.max(0, endUs + APART_US - block.tsUs[0]!);
        for (let i = 0; i < block.count; i++) block.tsUs[i]! += laterUs;
        pipeline.push(block);
      }, new AbortController().signal);
    } catch (error) {
      // What was read of a capture that is cut short or is none counts.
      if (!(error instanceof AppError)) throw error;
      unreadable++;
    } finally {
      pipeline.flush();
      source?.close();
    }
    packets += pipeline.packets;
    endUs = Math.max(endUs, pipeline.nowUs);
  }
  return { findings, packets, unreadable, problems: signatures.problems.length };
}
