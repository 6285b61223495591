/** Link-layer header types, by their libpcap LINKTYPE_ numbers (https://www.tcpdump.org/linktypes.html). */
export const LINK = {
  NULL: 0,
  ETHERNET: 1,
  PPP: 9,
  RAW_OLD: 12,
  RAW: 101,
  CISCO_HDLC: 104,
  LOOP: 108,
  LINUX_SLL: 113,
  RAW_IPV4: 228,
  RAW_IPV6: 229,
  LINUX_SLL2: 276,
} as const;

/** IP protocol numbers (IANA) that Portcullis looks into. */
export const PROTO = {
  ICMP: 1,
  IPIP: 4,
  TCP: 6,
  UDP: 17,
  IPV6: 41,
  GRE: 47,
  ESP: 50,
  AH: 51,
  ICMPV6: 58,
  SCTP: 132,
} as const;

/** TCP flag bits (RFC 9293 3.1, with ECE and CWR of RFC 3168). */
export const TCP = { FIN: 1, SYN: 2, RST: 4, PSH: 8, ACK: 16, URG: 32, ECE: 64, CWR: 128 } as const;

/**
 * A batch of captured packets as a source hands them over. Packet `i` occupies
 * `data[offset[i] .. offset[i] + capLen[i]]`. The block and its bytes belong to the source and are valid
 * only until the consumer's callback returns.
 */
export interface PacketBlock {
  data: Uint8Array;
  count: number;
  /** Byte offset of each frame's first byte in `data`. */
  offset: Int32Array;
  /** Captured bytes of each frame. */
  capLen: Int32Array;
  /** Bytes of each frame on the wire (>= capLen). */
  wireLen: Int32Array;
  /** Kernel or file timestamp of each frame: microseconds since the epoch, fraction allowed. */
  tsUs: Float64Array;
  /** One of {@link LINK}; the same for the whole block. */
  linkType: number;
  /** Index of the interface in the source's list (0 for files with one interface). */
  interfaceId: number;
  /**
   * VLAN tag that the kernel stripped from each frame (16-bit TCI of IEEE 802.1Q), or -1; absent when the
   * source leaves tags in the frame.
   */
  vlanTci?: Int32Array;
}

/** A block of one frame, for whoever decodes frames one by one: filled anew for each of them. */
export function blockOfOne(linkType: number = LINK.RAW): PacketBlock {
  return {
    data: new Uint8Array(0),
    count: 1,
    offset: new Int32Array(1),
    capLen: new Int32Array(1),
    wireLen: new Int32Array(1),
    tsUs: new Float64Array(1),
    linkType,
    interfaceId: 0,
  };
}

/** Counters of a capture source since it was opened. */
export interface CaptureStats {
  packets: number;
  bytes: number;
  /** Packets that the kernel or the source lost before we saw them. */
  kernelDrops: number;
  /** Times the interface went down and was opened again. */
  reopens: number;
  /** False when the source has no way to learn of lost packets; then `kernelDrops` stays 0. */
  dropsKnown?: boolean;
}

/** Why a packet could not be decoded further; counted, never thrown. */
export const DECODE = {
  OK: 0,
  TRUNCATED: 1,
  UNSUPPORTED: 2,
  MALFORMED: 3,
  TOO_DEEP: 4,
} as const;
export type DecodeResult = (typeof DECODE)[keyof typeof DECODE];

/** Bytes of one frame, valid as long as the packet that they belong to. */
export interface Frame {
  data: Uint8Array;
  offset: number;
  length: number;
  /** One of {@link LINK}. */
  linkType: number;
}

/** Fields of a decoded packet that hold any number of 32 bits, or more. */
const WIDE = ['tsUs', 'src0', 'src1', 'src2', 'src3', 'dst0', 'dst1', 'dst2', 'dst3', 'seq', 'ack'] as const;

/**
 * One decoded packet. A decoder owns one instance and overwrites it for each packet: read it before the next
 * call, copy what you keep. Addresses are four big-endian 32-bit words; IPv4 uses word 3 and zeroes elsewhere.
 * All offsets are into `data`.
 */
export class DecodedPacket {
  data: Uint8Array = new Uint8Array(0);
  /** 1-based number in the capture, as `pcap_cnt` of EVE. */
  number = 0;
  tsUs = 0;
  interfaceId = 0;
  frameOffset = 0;
  capLen = 0;
  wireLen = 0;
  /** One of {@link LINK}: how the frame begins. */
  linkType: number = LINK.ETHERNET;
  /** Put together from fragments: the frame of the one that completed it. */
  lastFragment: Frame | undefined = undefined;
  result: DecodeResult = DECODE.OK;
  /** The decoder's own: only the fields that plain TCP or UDP in IPv4 over Ethernet has are set. */
  isPlain = false;
  /** Offset of the source MAC address (destination MAC is 6 bytes before), or -1. */
  srcMacOffset = -1;
  etherType = 0;
  vlanCount = 0;
  vlan0 = 0;
  vlan1 = 0;
  /** Tunnels peeled off (GRE, IP-in-IP, VXLAN, ...); fields below describe the innermost packet. */
  tunnelDepth = 0;
  /** 4, 6, or 0 when the packet is not IP. */
  ipVersion = 0;
  src0 = 0;
  src1 = 0;
  src2 = 0;
  src3 = 0;
  dst0 = 0;
  dst1 = 0;
  dst2 = 0;
  dst3 = 0;
  /** Upper-layer protocol number after extension headers. */
  proto = 0;
  ttl = 0;
  tos = 0;
  ipId = 0;
  ipOffset = 0;
  /** Bytes of the IP packet as its header states, never more than captured. */
  ipLen = 0;
  /** Bytes of the IP packet as its header states, also when fewer were captured. */
  ipTotalLen = 0;
  /** True when the header states more bytes than were captured. */
  ipTruncated = false;
  /** Offset of IPv4 options, and their bytes (0 without). */
  ipOptionsOffset = 0;
  ipOptionsLen = 0;
  /** IPv4 reserved/DF/MF bits as 4/2/1. */
  ipFlags = 0;
  /** Fragment offset in bytes. */
  fragOffset = 0;
  /** True when this is a fragment (MF set or fragment offset above 0). */
  isFragment = false;
  l4Offset = 0;
  srcPort = 0;
  dstPort = 0;
  tcpFlags = 0;
  seq = 0;
  ack = 0;
  window = 0;
  tcpOptionsOffset = 0;
  tcpOptionsLen = 0;
  /** Maximum segment size option (RFC 9293), or -1. */
  mss = -1;
  /** Window scale option (RFC 7323), or -1. */
  windowScale = -1;
  icmpType = 0;
  icmpCode = 0;
  icmpId = 0;
  icmpSeq = 0;
  /** Transport payload; for other protocols the bytes after the IP header. */
  payloadOffset = 0;
  payloadLen = 0;
  /** ARP operation (RFC 826) when `etherType` is 0x0806, else 0; addresses are in src3 and dst3. */
  arpOp = 0;
  /** Offsets of ARP's sender and target hardware addresses, or -1. */
  arpSenderMacOffset = -1;
  arpTargetMacOffset = -1;

  constructor() {
    // Numbers of 32 bits do not all fit into V8's small integers: a field that begins with one and gets a larger one after a
    // while changes the layout of the class, and all code compiled until then is thrown away.
    for (const field of WIDE) this[field] = 2 ** 32;
    for (const field of WIDE) this[field] = 0;
  }
}
