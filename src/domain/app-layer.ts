import type { Direction, FlowColumns } from './flow.js';
import type { DecodedPacket } from './packet.js';

/** Application protocols that Portcullis parses. */
export const APP_PROTOS = [
  'http',
  'http2',
  'dns',
  'mdns',
  'tls',
  'ssh',
  'smtp',
  'ftp',
  'ftp-data',
  'smb',
  'quic',
  'mqtt',
  'rdp',
  'dcerpc',
  'tftp',
  'ike',
  'pgsql',
  'sip',
  'rfb',
  'telnet',
  'imap',
  'snmp',
  'krb5',
  'nfs',
  'ntp',
  'dhcp',
  'modbus',
  'dnp3',
  'enip',
  'ldap',
  'websocket',
  'bittorrent-dht',
] as const;
export type AppProto = (typeof APP_PROTOS)[number];

/** Receives the in-order bytes of both directions of a TCP connection, from reassembly. */
export interface StreamSink {
  /**
   * New contiguous bytes. `data[offset .. offset + length]` is valid only during the call.
   * @param position bytes of this direction delivered or skipped before these.
   */
  onData(direction: Direction, data: Uint8Array, offset: number, length: number, position: number, tsUs: number): void;
  /** `length` bytes were lost or not kept; the next data follows them. */
  onGap(direction: Direction, length: number, position: number, tsUs: number): void;
  /** The direction closed (FIN, RST) or the flow ended. */
  onEnd(direction: Direction, tsUs: number): void;
}

/** A field of a transaction that content and regular expressions look into; lists are several instances. */
export type BufferValue = Uint8Array | readonly Uint8Array[];

/**
 * One request and its answer, or one message. Fields are named as Suricata's sticky buffers (`http.uri`, `dns.query`,
 * `tls.sni`, `ssh.software`, `file.data`, ...), normalised as Suricata 7 normalises them.
 */
export interface AppTransaction {
  readonly proto: AppProto;
  /** 0-based within the flow. */
  readonly id: number;
  /** When only packets of one direction are about it: a message by itself. */
  readonly side?: Direction;
  /**
   * How far each direction has come, indexed by direction (0 to the server, 1 to the client); protocol-specific steps as the
   * parser exports them, `PROGRESS_DONE` when the direction is complete.
   */
  readonly progress: readonly [number, number];
  /**
   * The field as far as it is known, or undefined when it is absent (yet). The direction tells apart fields that both sides
   * have, such as `http.header`.
   */
  buffer(name: string, direction: Direction): BufferValue | undefined;
  /** Numbers such as `dns.opcode`, `http.stat_code`, `tls.version`; with a direction, those of that side's message only. */
  number(name: string, direction?: Direction): number | undefined;
  /** Numbers of a field that there may be several of, such as `dns.rrtype`, in their order; undefined when they are not there (yet). */
  numbersOf?(name: string, direction: Direction): readonly number[] | undefined;
  /**
   * Position in the stream of the first byte of the direction's body, as long as all of the body are bytes of the stream side
   * by side; -1 when they are not. Only of protocols whose growing fields are that body.
   */
  bodyPosition?(direction: Direction): number;
  /** Bytes of that body that are kept. */
  bodyLength?(direction: Direction): number;
  /** Names of protocol anomalies raised for this transaction, as `app-layer-event` names them without the protocol. */
  readonly events: readonly string[];
}

export const PROGRESS_DONE = 255;

/** A parser for one flow. Bytes may be cut anywhere; work and memory are bounded by its options; it never throws. */
export interface AppParser extends StreamSink {
  readonly proto: AppProto;
  /** True when it gave way to another protocol (STARTTLS): what follows is looked at anew. */
  readonly hasEnded?: boolean;
  /** Then: the protocol that was agreed on, when there is one. */
  readonly expects?: AppProto | undefined;
  /** Then: anomalies in what was agreed on, which the first transaction of that protocol tells. */
  readonly nextEvents?: readonly string[];
  /** Then: bytes of the last call that belong to the other protocol already. */
  readonly rest?: Uint8Array;
  /** From here on both directions are encrypted: their bytes tell nothing. */
  readonly isEncrypted?: boolean;
  /** Transactions that are not yet released, oldest first. */
  readonly transactions: readonly AppTransaction[];
  /** Forgets a transaction that has been inspected in full. */
  release(transaction: AppTransaction): void;
}

/** Sees the transactions of a flow as they grow, whether or not a rule asks for them. */
export interface AppWatcher {
  /** @param transactions not yet released, oldest first; the packet at hand may have changed them. */
  onTransactions(
    transactions: readonly AppTransaction[],
    packet: DecodedPacket,
    flows: FlowColumns,
    slot: number,
  ): void;
}
