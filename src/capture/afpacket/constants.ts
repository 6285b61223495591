/** Numbers of linux/if_packet.h, linux/if_ether.h, linux/sockios.h and asm-generic/socket.h. */
export const AF_UNIX = 1;
export const AF_PACKET = 17;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
export const SOCK_CLOEXEC = 0o2000000;
export const ETH_P_ALL = 0x0003;

export const SIOCGIFFLAGS = 0x8913;
export const SIOCGIFMTU = 0x8921;
export const SIOCGIFHWADDR = 0x8927;
export const SIOCGIFINDEX = 0x8933;

export const SOL_SOCKET = 1;
export const SO_ERROR = 4;
export const SO_ATTACH_FILTER = 26;

export const SOL_PACKET = 263;
export const PACKET_ADD_MEMBERSHIP = 1;
export const PACKET_RX_RING = 5;
export const PACKET_STATISTICS = 6;
export const PACKET_VERSION = 10;
export const PACKET_FANOUT = 18;
export const PACKET_IGNORE_OUTGOING = 23;
export const PACKET_MR_PROMISC = 1;
export const TPACKET_V2 = 1;
export const TPACKET_V3 = 2;

export const FANOUT_MODE = { hash: 0, load_balance: 1, cpu: 2, rollover: 3, random: 4, queue: 5 } as const;

export const TP_STATUS_USER = 1;
export const TP_STATUS_VLAN_VALID = 1 << 4;

export const PROT_READ_WRITE = 3;
export const MAP_SHARED = 0x01;
export const MAP_PRIVATE = 0x02;
export const MAP_FIXED = 0x10;
export const MAP_ANONYMOUS = 0x20;
/** What mmap answers on failure: (void *)-1. */
export const MAP_FAILED = 0xffffffffffffffffn;

/** struct tpacket_block_desc: offsets in bytes. */
export const BLOCK = { STATUS: 8, PACKETS: 12, FIRST: 16, LENGTH: 20 } as const;

/** struct tpacket3_hdr: offsets in bytes. */
export const PACKET = { NEXT: 0, SEC: 4, NSEC: 8, SNAPLEN: 12, LEN: 16, STATUS: 20, MAC: 24, VLAN_TCI: 32 } as const;
