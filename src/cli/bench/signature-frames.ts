import type { Random } from './signature-traffic.js';

export type Frame = Uint8Array;

const ETHERNET = 14;
const IPV4 = 20;
const TCP = 20;
const UDP = 8;
const FIN = 1;
const SYN = 2;
const RST = 4;
const PSH = 8;
const ACK = 16;

interface Ends {
  client: number;
  clientPort: number;
  server: number;
  serverPort: number;
}

function ends(random: Random, serverPort: number): Ends {
  return {
    client: (0x0a000000 + random(4000)) >>> 0,
    clientPort: 1024 + random(60_000),
    server: (0xc6336400 + random(250)) >>> 0,
    serverPort,
  };
}

/** Ethernet and IPv4; checksums are left zero. */
function frame(e: Ends, isBack: boolean, proto: number, l4Bytes: number): { bytes: Uint8Array; view: DataView } {
  const bytes = new Uint8Array(ETHERNET + IPV4 + l4Bytes);
  const view = new DataView(bytes.buffer);
  bytes[0] = bytes[6] = 2;
  bytes[isBack ? 5 : 11] = 1;
  view.setUint16(12, 0x0800);
  bytes[14] = 0x45;
  view.setUint16(16, IPV4 + l4Bytes);
  view.setUint16(20, 0x4000);
  bytes[22] = 64;
  bytes[23] = proto;
  view.setUint32(26, isBack ? e.server : e.client);
  view.setUint32(30, isBack ? e.client : e.server);
  view.setUint16(34, isBack ? e.serverPort : e.clientPort);
  view.setUint16(36, isBack ? e.clientPort : e.serverPort);
  return { bytes, view };
}

export interface Conversation {
  serverPort: number;
  /** What client and server say in turn; undefined: the server refuses. */
  turns: readonly Uint8Array[] | undefined;
  /** Payload bytes of a full segment. */
  segment: number;
}

/** A TCP connection from its handshake to its end, with an acknowledgement for every second segment. */
export function* tcpConversation(random: Random, { serverPort, turns, segment }: Conversation): Generator<Frame> {
  const e = ends(random, serverPort);
  const next = [random(0x7fffffff), random(0x7fffffff)];
  const send = (side: 0 | 1, flags: number, data: Uint8Array = new Uint8Array(0)): Frame => {
    const { bytes, view } = frame(e, side === 1, 6, TCP + data.length);
    view.setUint32(38, next[side]!);
    view.setUint32(42, (flags & ACK) === 0 ? 0 : next[1 - side]!);
    bytes[46] = 0x50;
    bytes[47] = flags;
    view.setUint16(48, 64_240);
    bytes.set(data, ETHERNET + IPV4 + TCP);
    next[side] = (next[side]! + data.length + ((flags & (SYN | FIN)) === 0 ? 0 : 1)) >>> 0;
    return bytes;
  };
  yield send(0, SYN);
  if (turns === undefined) {
    yield send(1, RST | ACK);
    return;
  }
  yield send(1, SYN | ACK);
  yield send(0, ACK);
  for (const [i, data] of turns.entries()) {
    const side = (i % 2) as 0 | 1;
    const other = (1 - side) as 0 | 1;
    let unacknowledged = 0;
    for (let at = 0; at < data.length; at += segment) {
      const part = data.subarray(at, at + segment);
      yield send(side, at + segment >= data.length ? PSH | ACK : ACK, part);
      if (++unacknowledged < 2) continue;
      unacknowledged = 0;
      yield send(other, ACK);
    }
    if (unacknowledged > 0) yield send(other, ACK);
  }
  yield send(0, FIN | ACK);
  yield send(1, FIN | ACK);
  yield send(0, ACK);
}

/** A datagram and its answer. */
export function* udpExchange(random: Random, serverPort: number, asked: Uint8Array, answered: Uint8Array) {
  const e = ends(random, serverPort);
  for (const [i, data] of [asked, answered].entries()) {
    const { bytes, view } = frame(e, i === 1, 17, UDP + data.length);
    view.setUint16(38, UDP + data.length);
    bytes.set(data, ETHERNET + IPV4 + UDP);
    yield bytes as Frame;
  }
}
