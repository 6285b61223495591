import { PROTO, type DecodedPacket } from '../../../domain/packet.js';
import { createFragments } from './fragments.js';
import { ipv4Events } from './ipv4.js';
import { ipv6Events } from './ipv6.js';
import { icmpEvents, tcpEvents, udpEvents } from './transport.js';

/** Oddities of packets as `decode-event` names them; looked for only when a rule asks. */
export interface DecodeEvents {
  /** Valid until the next call. */
  of(packet: DecodedPacket): readonly string[];
}

export function createDecodeEvents(): DecodeEvents {
  const fragments = createFragments();
  const events: string[] = [];
  return {
    of(packet) {
      events.length = 0;
      if (packet.ipVersion === 4) ipv4Events(packet, fragments, events);
      else if (packet.ipVersion === 6) ipv6Events(packet, fragments, events);
      if (packet.hasOverlap) events.push(`ipv${packet.ipVersion}.frag_overlap`);
      if (packet.fragOffset > 0) return events;
      if (packet.proto === PROTO.TCP) tcpEvents(packet, events);
      else if (packet.proto === PROTO.UDP) udpEvents(packet, events);
      else if (packet.proto === PROTO.ICMP || packet.proto === PROTO.ICMPV6) icmpEvents(packet, events);
      return events;
    },
  };
}
