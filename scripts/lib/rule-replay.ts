import { openFileSource } from '../../src/capture/index.js';
import { createPipeline } from '../../src/daemons/pipeline.js';
import { createSignatures } from '../../src/daemons/signatures.js';
import { signatureOptionsSchema } from '../../src/detect/signature/index.js';
import type { Detection } from '../../src/domain/detection.js';
import { AppError } from '../../src/util/errors.js';
import { canonicalAddress } from '../../src/util/ip.js';

/** What an alert is about: which rule, on which flow of which capture. */
export interface Finding {
  sid: number;
  flow: string;
  capture: string;
}

/** Protocol and both ends, the lower one first, so that direction does not matter; without ports for ICMP. */
export function flowKey(proto: string, src: readonly [string, number], dst: readonly [string, number]): string {
  const end = ([ip, port]: readonly [string, number]): string =>
    `${canonicalAddress(ip) ?? ip} ${proto.includes('ICMP') ? 0 : port}`;
  return [proto, ...[end(src), end(dst)].sort()].join(' ');
}

export const findingKey = (f: Finding): string => `${f.sid} ${f.flow}`;

const PROTOS: Readonly<Record<number, string>> = { 1: 'ICMP', 6: 'TCP', 17: 'UDP', 58: 'IPv6-ICMP', 132: 'SCTP' };

function toFinding(d: Detection, capture: string): Finding {
  const proto = PROTOS[d.proto] ?? String(d.proto).padStart(3, '0');
  return { sid: d.signatureId, capture, flow: flowKey(proto, [d.srcIp, d.srcPort], [d.dstIp, d.dstPort]) };
}

/** Rules that name our own network and that of others mean every address. */
const ANY = { HOME_NET: 'any', EXTERNAL_NET: 'any' };

/** Runs rules over captures with one engine; each capture has flows of its own. */
export async function replay(
  rules: readonly string[],
  captures: readonly string[],
): Promise<{ findings: Finding[]; packets: number; unreadable: number; problems: number }> {
  // prettier-ignore
  const findings: Finding[] = [];
  let capture = '';
  let packets = 0;
  let unreadable = 0;
  const signatures = createSignatures(
    { ...signatureOptionsSchema.parse({ rules, addresses: ANY }), stream: {} },
    {
      emit: (detection) => void findings.push(toFinding(detection, capture)),
      sensor: 'replay',
    },
  );
  for (capture of captures) {
    const pipeline = createPipeline({}, { observers: [signatures.observer] });
    let source: Awaited<ReturnType<typeof openFileSource>> | undefined;
    try {
      source = await openFileSource(capture);
      await source.run((block) => {
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
  }
  return { findings, packets, unreadable, problems: signatures.problems.length };
}
