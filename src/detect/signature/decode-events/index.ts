import { LINK, type DecodedPacket } from '../../../domain/packet.js';
import { Fragments } from './fragments.js';
import { icmpv4, icmpv6 } from './icmp.js';
import { ipv4 } from './ipv4.js';
import { ipv6 } from './ipv6.js';
import { mpls, nsh } from './labels.js';
import { chdlc, ethernet, loopback, network, ppp, raw, sll, vlan } from './link.js';
import { FrameReader, type LayerName } from './reader.js';
import { tcp, udp } from './transport.js';
import { erspan, gre } from './tunnel.js';

/** Oddities of packets as `decode-event` names them; looked for only when a rule asks. */
export interface DecodeEvents {
  /** Of the headers of the packet, which is the innermost of its frame. Valid until the next call. */
  of(packet: DecodedPacket): readonly string[];
  /** The same of one that came with the packet asked about last: around it, from the outermost on. */
  ofCarrier(index: number): readonly string[];
}

const FIRST_LAYERS: Readonly<Record<number, LayerName>> = {
  [LINK.NULL]: 'null',
  [LINK.ETHERNET]: 'ethernet',
  [LINK.PPP]: 'ppp',
  [LINK.RAW_OLD]: 'raw',
  [LINK.RAW]: 'raw',
  [LINK.CISCO_HDLC]: 'chdlc',
  [LINK.LINUX_SLL]: 'sll',
  [LINK.RAW_IPV4]: 'raw',
  [LINK.RAW_IPV6]: 'raw',
};

export function createDecodeEvents(): DecodeEvents {
  const fragments = new Fragments();
  const reader = new FrameReader({
    ethernet,
    network,
    vlan,
    sll,
    null: loopback,
    raw,
    chdlc,
    ppp,
    mpls,
    nsh,
    gre,
    erspan,
    ipv4: ipv4(fragments),
    ipv6: ipv6(fragments),
    tcp,
    udp,
    icmpv4,
    icmpv6,
  });
  const read = (data: Uint8Array, at: number, length: number, linkType: number): void => {
    const first = FIRST_LAYERS[linkType];
    reader.begin(data);
    if (first !== undefined) reader.next(first, at, at + length);
  };
  return {
    of(packet) {
      reader.clear();
      const { lastFragment: last } = packet;
      if (last !== undefined) {
        read(last.data, last.offset, last.length, last.linkType);
        fragments.complete();
        reader.follow();
      }
      read(packet.data, packet.frameOffset, packet.capLen, packet.linkType);
      return reader.from(last === undefined ? packet.tunnelDepth : packet.tunnelDepth + 1);
    },
    ofCarrier: (index) => reader.of(index),
  };
}
