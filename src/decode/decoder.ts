import { DECODE, LINK, PROTO, type DecodedPacket, type DecodeResult, type PacketBlock } from '../domain/packet.js';
import { decodeAh } from './ah.js';
import { decodeArp } from './arp.js';
import { COUNT, COUNTERS, DecodeContext, LAYER, type Layer } from './context.js';
import { decodeNull, decodeSll, decodeSll2 } from './cooked.js';
import { addVlan, decodeEthernet, decodeVlan, isVlanTag } from './ethernet.js';
import { decodeGeneve } from './geneve.js';
import { decodeGre } from './gre.js';
import { decodeIcmp } from './icmp.js';
import { decodeIpv4 } from './ipv4.js';
import { decodeIpv6 } from './ipv6.js';
import { decodeMpls } from './mpls.js';
import { decodeNsh } from './nsh.js';
import { decodeOptions, type DecodeInput } from './options.js';
import { decodePlain } from './plain.js';
import { decodePpp, decodePppoe } from './pppoe.js';
import { resetFrame, resetIp } from './reset.js';
import { decodeSctp } from './sctp.js';
import { decodeTcp } from './tcp.js';
import { decodeIpInIp } from './tunnel.js';
import { decodeUdp } from './udp.js';
import { decodeVxlan } from './vxlan.js';

/** Bound on the headers of one packet: VLAN tags, labels and tunnels together. */
const MAX_LAYERS = 32;
/** No VLAN tag was taken off by the kernel. */
const NOT_STRIPPED = -1;

export interface Decoder {
  /**
   * Decodes packet `i` of a block into `out`, whose every field is overwritten. Never throws and never reads outside
   * the captured bytes; what cannot be decoded is counted by reason, and `out` then describes the part that could.
   */
  decode(block: PacketBlock, i: number, out: DecodedPacket): DecodeResult;
  /**
   * Decodes an IP packet that was put together from fragments. Keeps time, VLANs and packet number of `out`, which
   * held the last fragment; its offsets then refer to `data`.
   */
  decodeIp(data: Uint8Array, offset: number, length: number, out: DecodedPacket): DecodeResult;
  stats(): Record<string, number>;
}

export function createDecoder(input: DecodeInput = {}): Decoder {
  const ctx = new DecodeContext(decodeOptions.parse(input));
  let number = 0;
  return {
    decode(block, i, out) {
      const at = block.offset[i]!;
      const capLen = block.capLen[i]!;
      ctx.counts[COUNT.packets]!++;
      out.data = block.data;
      out.number = ++number;
      out.tsUs = block.tsUs[i]!;
      out.interfaceId = block.interfaceId;
      out.frameOffset = at;
      out.capLen = capLen;
      out.wireLen = block.wireLen[i]!;
      const stripped = block.vlanTci === undefined ? NOT_STRIPPED : block.vlanTci[i]!;
      if (block.linkType === LINK.ETHERNET && stripped < 0 && decodePlain(ctx, block, i, out)) return DECODE.OK;
      resetFrame(out);
      resetIp(out);
      out.linkType = block.linkType;
      if (stripped >= 0) addVlan(out, stripped);
      ctx.at = at;
      ctx.end = at + capLen;
      return walk(ctx, firstLayer(ctx, block.linkType, block.data, out), block.data, out);
    },
    decodeIp(data, offset, length, out) {
      resetIp(out);
      out.linkType = LINK.RAW;
      out.data = data;
      out.srcMacOffset = -1;
      out.frameOffset = offset;
      out.capLen = out.wireLen = length;
      ctx.at = offset;
      ctx.end = offset + length;
      return walk(ctx, LAYER.IP, data, out);
    },
    stats: () => Object.fromEntries(COUNTERS.map((name, i) => [name, ctx.counts[i]!])),
  };
}

function walk(ctx: DecodeContext, first: Layer, d: Uint8Array, p: DecodedPacket): DecodeResult {
  let layer = first;
  for (let n = 0; layer !== LAYER.DONE; n++) {
    if (n === MAX_LAYERS) {
      ctx.stop(p, DECODE.TOO_DEEP, COUNT.layers_too_many);
      break;
    }
    layer = decodeLayer(ctx, layer, d, p);
  }
  return p.result;
}

function decodeLayer(ctx: DecodeContext, layer: Layer, d: Uint8Array, p: DecodedPacket): Layer {
  switch (layer) {
    case LAYER.ETHERNET:
      return decodeEthernet(ctx, d, p);
    case LAYER.ETHERTYPE:
      return decodeEtherType(ctx, d, p);
    case LAYER.IPV4:
      return decodeIpv4(ctx, d, p);
    case LAYER.IPV6:
      return decodeIpv6(ctx, d, p);
    case LAYER.TRANSPORT:
      return decodeTransport(ctx, d, p);
    case LAYER.VXLAN:
      return decodeVxlan(ctx, d, p);
    case LAYER.GENEVE:
      return decodeGeneve(ctx, d, p);
    case LAYER.IP:
      return ctx.at < ctx.end && d[ctx.at]! >> 4 === 6 ? LAYER.IPV6 : LAYER.IPV4;
    default:
      return LAYER.DONE;
  }
}

function firstLayer(ctx: DecodeContext, linkType: number, d: Uint8Array, p: DecodedPacket): Layer {
  switch (linkType) {
    case LINK.ETHERNET:
      return LAYER.ETHERNET;
    case LINK.RAW:
    case LINK.RAW_OLD:
    case LINK.RAW_IPV4:
    case LINK.RAW_IPV6:
      return LAYER.IP;
    case LINK.LINUX_SLL:
      return decodeSll(ctx, d, p);
    case LINK.LINUX_SLL2:
      return decodeSll2(ctx, d, p);
    case LINK.PPP:
      return decodePpp(ctx, d, p);
    case LINK.NULL:
    case LINK.LOOP:
      return decodeNull(ctx, p);
    default:
      return ctx.unsupported(p, COUNT.unsupported_link);
  }
}

function decodeEtherType(ctx: DecodeContext, d: Uint8Array, p: DecodedPacket): Layer {
  const { etherType } = p;
  if (etherType === 0x0800) return LAYER.IPV4;
  if (etherType === 0x86dd) return LAYER.IPV6;
  if (etherType === 0x0806) return decodeArp(ctx, d, p);
  if (isVlanTag(etherType)) return decodeVlan(ctx, d, p);
  if (etherType === 0x8847 || etherType === 0x8848) return decodeMpls(ctx, d, p);
  if (etherType === 0x8864) return decodePppoe(ctx, d, p);
  if (etherType === 0x894f) return decodeNsh(ctx, d, p);
  return ctx.unsupported(p, COUNT.unsupported_ethertype);
}

/** Other protocols have no ports; their flows are told apart by addresses and protocol number. */
function decodeTransport(ctx: DecodeContext, d: Uint8Array, p: DecodedPacket): Layer {
  switch (p.proto) {
    case PROTO.TCP:
      return decodeTcp(ctx, d, p);
    case PROTO.UDP:
      return decodeUdp(ctx, d, p);
    case PROTO.ICMP:
    case PROTO.ICMPV6:
      return decodeIcmp(ctx, d, p);
    case PROTO.SCTP:
      return decodeSctp(ctx, d, p);
    case PROTO.GRE:
      return decodeGre(ctx, d, p);
    case PROTO.IPIP:
    case PROTO.IPV6:
      return decodeIpInIp(ctx, d, p);
    case PROTO.AH:
      return decodeAh(ctx, d, p);
    default:
      return LAYER.DONE;
  }
}
