import { BWD, FWD, type Direction, type FlowColumns } from '../../../../src/domain/flow.js';
import { DecodedPacket, PROTO, TCP } from '../../../../src/domain/packet.js';
import type { ReassemblyInput } from '../../../../src/flow/reassembly/index.js';
import { createStreamEvents } from '../../../../src/flow/stream-events/index.js';

export interface ScriptOptions extends ReassemblyInput {
  inline?: boolean;
  /** Sequence numbers of both SYNs. */
  first?: readonly [number, number];
}

const FLAGS: Readonly<Record<string, number>> = { S: TCP.SYN, A: TCP.ACK, F: TCP.FIN, R: TCP.RST, P: TCP.PSH };
const FIRST = [1_000_000, 9_000_000] as const;

/** Columns of the one flow of a script. */
export const flowColumns = (): FlowColumns =>
  ({
    srcAddr: Uint32Array.of(0, 0, 0, 1),
    dstAddr: Uint32Array.of(0, 0, 0, 2),
    srcPort: Uint16Array.of(40_000),
    dstPort: Uint16Array.of(80),
    lastUs: Float64Array.of(1e15),
  }) as unknown as FlowColumns;

/**
 * A packet as `> PA 1 1 +10 w=500 t=7/3 ws=2 tfo md5 =b @60`: direction, flags, sequence number and acknowledgement counted from the SYNs,
 * bytes of payload, window, timestamp and its echo, window scale, fast open, signature, filler of the payload, seconds since
 * the first packet. `-` for no acknowledgement.
 */
export function parsePacket(
  line: string,
  first: readonly [number, number] = FIRST,
): { packet: DecodedPacket; direction: Direction } {
  const [arrow, flags = '', seq = '0', ack = '-', ...rest] = line.trim().split(/\s+/);
  const direction = arrow === '<' ? BWD : FWD;
  const p = new DecodedPacket();
  p.proto = PROTO.TCP;
  p.ipVersion = 4;
  p.tcpFlags = [...flags].reduce((all, f) => all | FLAGS[f]!, 0);
  p.seq = (first[direction] + Number(seq)) >>> 0;
  p.ack = ack === '-' ? 0 : (first[direction ^ 1]! + Number(ack)) >>> 0;
  p.window = 65_535;
  let secs = 0;
  let filler = 'a';
  const options: number[] = [];
  for (const part of rest) {
    const [key = '', value = ''] = part.split('=');
    if (part.startsWith('+')) p.payloadLen = Number(part.slice(1));
    else if (part.startsWith('@')) secs = Number(part.slice(1));
    else if (key === '') filler = value;
    else if (key === 'w') p.window = Number(value);
    else if (key === 'ws') p.windowScale = Number(value);
    else if (key === 'tfo') options.push(34, 6, 1, 2, 3, 4, 1, 1);
    else if (key === 'md5') options.push(19, 18, ...Array<number>(16).fill(1), 1, 1);
    else if (key === 't') options.push(1, 1, 8, 10, ...value.split('/').flatMap((v) => bigEndian(Number(v))));
    else throw new Error(`"${part}" is not understood`);
  }
  p.tsUs = (1e9 + secs) * 1e6;
  p.tcpOptionsOffset = 20;
  p.tcpOptionsLen = options.length;
  p.payloadOffset = 20 + options.length;
  p.data = Buffer.from([...Array<number>(20).fill(0), ...options, ...Buffer.from(filler.repeat(p.payloadLen))]);
  return { packet: p, direction };
}

const bigEndian = (v: number): number[] => [v >>> 24, (v >>> 16) & 255, (v >>> 8) & 255, v & 255];

/** Events of each packet of a script; packets are separated by semicolons. */
export function play(script: string, { inline = false, first, ...stream }: ScriptOptions = {}): (readonly string[])[] {
  const watch = createStreamEvents({ stream, inline });
  const flows = flowColumns();
  return script.split(';').map((line, n) => {
    const { packet, direction } = parsePacket(line, first);
    watch.onPacket(packet, { flows, slot: 0, direction, isNew: n === 0 }, []);
    return [...watch.events];
  });
}
