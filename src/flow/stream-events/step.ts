import { FWD, type Direction } from '../../domain/flow.js';
import { TCP, type DecodedPacket } from '../../domain/packet.js';
import type { StreamEvent } from '../../domain/stream-event.js';
import { findOption, hasFastOpen, OPTION, readTimestamp, readTimestampEcho, readU32 } from '../tcp-options.js';
import type { StreamPolicy } from '../reassembly/options.js';
import { Connection, type Side } from './connection.js';

export interface Settings {
  midstream: boolean;
  asyncOneside: boolean;
  policy: StreamPolicy;
  /** Packets pass only after they were judged, so that none is missed: what others would forgive as loss is told. */
  inline: boolean;
}

/** The packet at hand in its connection. */
export class Step {
  readonly settings: Settings;
  readonly events: StreamEvent[] = [];
  connection = new Connection();
  own: Side = this.connection.client;
  peer: Side = this.connection.server;
  toServer = true;
  flags = 0;
  seq = 0;
  ack = 0;
  /** Bytes of payload. */
  length = 0;
  /** As it stands in the header. */
  window = 0;
  windowScale = -1;
  secs = 0;
  hasTimestamp = false;
  timestamp = 0;
  echo = 0;
  packet: DecodedPacket | undefined;

  constructor(settings: Settings) {
    this.settings = settings;
  }

  read(p: DecodedPacket, connection: Connection, direction: Direction): void {
    this.packet = p;
    this.connection = connection;
    this.toServer = direction === FWD;
    this.own = this.toServer ? connection.client : connection.server;
    this.peer = this.toServer ? connection.server : connection.client;
    this.flags = p.tcpFlags;
    this.seq = p.seq;
    this.ack = p.ack;
    this.length = p.payloadLen;
    this.window = p.window;
    this.windowScale = p.windowScale;
    this.secs = Math.floor(p.tsUs / 1_000_000);
    const value = p.tcpOptionsLen >= 10 ? readTimestamp(p) : -1;
    this.hasTimestamp = value >= 0;
    this.timestamp = Math.max(value, 0);
    this.echo = this.hasTimestamp ? readTimestampEcho(p) : 0;
  }

  /** Sequence number after the payload. */
  get end(): number {
    return (this.seq + this.length) >>> 0;
  }

  /** Sequence number of the first byte of the payload. */
  get dataAt(): number {
    return (this.flags & TCP.SYN) === 0 ? this.seq : (this.seq + 1) >>> 0;
  }

  has(flag: number): boolean {
    return (this.flags & flag) === flag;
  }

  /** Neither begins nor ends anything. */
  get isOrdinary(): boolean {
    return (this.flags & (TCP.SYN | TCP.FIN | TCP.RST)) === 0;
  }

  tell(event: StreamEvent): void {
    if (!this.events.includes(event)) this.events.push(event);
  }

  /** The window it advertises, bytes. */
  get scaledWindow(): number {
    return this.window * 2 ** this.peer.scale;
  }

  get isFastOpen(): boolean {
    return hasFastOpen(this.packet!);
  }

  /** RFC 2385, RFC 5925: whether the other end believes it nobody else can know. */
  get isSigned(): boolean {
    return findOption(this.packet!, OPTION.MD5) >= 0 || findOption(this.packet!, OPTION.AO) >= 0;
  }

  /** Bytes that it acknowledges selectively (RFC 2018). */
  get selectivelyAcked(): number {
    const p = this.packet!;
    const at = p.tcpOptionsLen >= 10 ? findOption(p, OPTION.SACK) : -1;
    if (at < 0) return 0;
    let bytes = 0;
    const end = at + p.data[at - 1]! - 2;
    for (let i = at; i + 8 <= end; i += 8) {
      const [left, right] = [readU32(p.data, i), readU32(p.data, i + 4)];
      if (((left - this.peer.acked) | 0) >= 0 && ((right - left) | 0) > 0) bytes += right - left;
    }
    return bytes;
  }
}
