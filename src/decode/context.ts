import { DECODE, type DecodedPacket, type DecodeResult } from '../domain/packet.js';
import type { DecodeOptions } from './options.js';
import { resetIp } from './reset.js';

/** What lies at the decoder's position; every protocol answers which layer comes next. */
export const LAYER = {
  DONE: 0,
  ETHERNET: 1,
  /** The protocol named by `packet.etherType`. */
  ETHERTYPE: 2,
  IPV4: 3,
  IPV6: 4,
  /** Extension header or upper-layer protocol named by `packet.proto`. */
  TRANSPORT: 5,
  VXLAN: 6,
  GENEVE: 8,
  /** IPv4 or IPv6, told apart by the version nibble. */
  IP: 7,
} as const;
export type Layer = (typeof LAYER)[keyof typeof LAYER];

/** Why decoding stopped early, and what was peeled off; the names of `stats()`. */
export const COUNTERS = [
  'packets',
  'unsupported_link',
  'unsupported_ethertype',
  'ethernet_truncated',
  'vlan_truncated',
  'vlan_too_many',
  'arp_truncated',
  'arp_unsupported',
  'sll_truncated',
  'null_truncated',
  'ip_version',
  'ipv4_truncated',
  'ipv4_header_length',
  'ipv4_total_length',
  'ipv6_truncated',
  'ipv6_extension_truncated',
  'ipv6_extensions_too_many',
  'tcp_truncated',
  'tcp_header_length',
  'tcp_bad_option',
  'udp_truncated',
  'udp_length',
  'icmp_truncated',
  'sctp_truncated',
  'ah_truncated',
  'gre_truncated',
  'gre_unsupported',
  'mpls_truncated',
  'mpls_unsupported',
  'nsh_truncated',
  'nsh_unsupported',
  'pppoe_truncated',
  'pppoe_unsupported',
  'ppp_truncated',
  'ppp_unsupported',
  'tunnel_payload_invalid',
  'tunnel_too_deep',
  'layers_too_many',
  'fragments',
  'tunnels',
] as const;
export type Counter = (typeof COUNTERS)[number];

/** Indices into the counters' array. */
export const COUNT = Object.fromEntries(COUNTERS.map((name, i) => [name, i])) as Readonly<Record<Counter, number>>;

/**
 * The decoder's position in the packet at hand. Bytes of the current layer are `data[at .. end]`; `end` never lies
 * beyond what was captured.
 */
export class DecodeContext {
  at = 0;
  end = 0;
  readonly counts = new Float64Array(COUNTERS.length);
  readonly maxTunnelDepth: number;
  readonly maxVlanTags: number;
  readonly vxlanPorts: readonly number[];
  private readonly tunnelPorts = new Uint8Array(65_536);

  constructor(options: DecodeOptions) {
    this.maxTunnelDepth = options.maxTunnelDepth;
    this.maxVlanTags = options.maxVlanTags;
    this.vxlanPorts = options.vxlanPorts;
    for (const port of [...options.vxlanPorts, ...options.genevePorts]) this.tunnelPorts[port] = 1;
  }

  /** True when UDP to this port is a tunnel's. */
  isTunnelPort(port: number): boolean {
    return this.tunnelPorts[port] === 1;
  }

  /** Stops decoding, counts why, and keeps what was decoded so far. */
  stop(packet: DecodedPacket, result: DecodeResult, counter: number): Layer {
    packet.result = result;
    this.counts[counter]!++;
    return LAYER.DONE;
  }

  truncated(packet: DecodedPacket, counter: number): Layer {
    return this.stop(packet, DECODE.TRUNCATED, counter);
  }

  malformed(packet: DecodedPacket, counter: number): Layer {
    return this.stop(packet, DECODE.MALFORMED, counter);
  }

  unsupported(packet: DecodedPacket, counter: number): Layer {
    return this.stop(packet, DECODE.UNSUPPORTED, counter);
  }

  /**
   * Counts one more tunnel.
   * @returns false when the packet is nested too deeply: the tunnel's own packet is then the one reported.
   */
  enterTunnel(packet: DecodedPacket): boolean {
    if (packet.tunnelDepth >= this.maxTunnelDepth) {
      this.stop(packet, DECODE.TOO_DEEP, COUNT.tunnel_too_deep);
      return false;
    }
    packet.tunnelDepth++;
    this.counts[COUNT.tunnels]!++;
    resetIp(packet);
    return true;
  }
}
