import type { FeatureDefinition } from '../domain/feature.js';
import { PROTO, TCP, type DecodedPacket } from '../domain/packet.js';
import { WindowTable } from './window-table.js';

const ALL = 0;
const ANSWERED = 1;

/** So many newcomers may ask in vain before it means anything: a switched-off printer, a resolver that died. */
const AT_EASE = 20;

/** "Short" is the option shortWindowSecs (10 s). */
export const newcomerFeatures: readonly FeatureDefinition[] = [
  {
    name: 'newcomers_unanswered',
    kind: 'ratio',
    unit: '',
    description:
      'Short window, whole network: unanswered first flows of sources beyond 20 / all first flows; 0 unless this is one of a new source.',
  },
];

/**
 * Whether a flow that begins with this packet asks one host for something, so that an answer is to be expected: a SYN, a
 * datagram to one host, an echo request. Connections that began before the capture, errors and broadcasts ask nobody.
 */
export function asks(p: DecodedPacket): boolean {
  switch (p.proto) {
    case PROTO.TCP:
      return (p.tcpFlags & (TCP.SYN | TCP.ACK)) === TCP.SYN;
    case PROTO.UDP:
      return !isToMany(p);
    case PROTO.ICMP:
      return p.icmpType === 8 && !isToMany(p);
    case PROTO.ICMPV6:
      return p.icmpType === 128 && !isToMany(p);
    default:
      return false;
  }
}

/** Multicast (224.0.0.0/4, ff00::/8), or a last byte of 255, which is a broadcast in all but very large networks. */
function isToMany(p: DecodedPacket): boolean {
  if (p.ipVersion === 6) return p.dst0 >>> 24 === 0xff;
  return p.dst3 >>> 28 === 14 || (p.dst3 & 0xff) === 0xff;
}

/**
 * Newcomers of the whole network and what came of them. A flood whose every packet has another forged source and another
 * target leaves no trace in the windows of any of them: here it does.
 */
export class Newcomers {
  private readonly window: WindowTable;

  constructor(options: { shortWindowSecs: number }) {
    this.window = new WindowTable({
      capacity: 1,
      keyWords: 1,
      counters: 2,
      sketches: 0,
      windowSecs: options.shortWindowSecs,
    });
  }

  came(nowUs: number): void {
    this.window.add(this.window.touch(nowUs), ALL, 1);
  }

  answered(nowUs: number): void {
    this.window.add(this.window.touch(nowUs), ANSWERED, 1);
  }

  /** 0..1. */
  unanswered(nowUs: number): number {
    const at = this.window.find(nowUs);
    if (at < 0) return 0;
    const all = this.window.value(at, ALL, nowUs);
    const lost = all - this.window.value(at, ANSWERED, nowUs);
    return lost > AT_EASE ? (lost - AT_EASE) / all : 0;
  }
}
