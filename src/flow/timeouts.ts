import { TCP_STATE } from '../domain/flow.js';
import { PROTO } from '../domain/packet.js';
import type { Columns } from './columns.js';
import type { FlowOptions } from './options.js';

/** How long a flow may be idle, by protocol and state, microseconds. */
export class Timeouts {
  /** No flow ends sooner. */
  readonly shortestUs: number;
  private readonly tcpByState: Float64Array;
  private readonly tcpNewUs: number;
  private readonly udpNewUs: number;
  private readonly udpEstablishedUs: number;
  private readonly icmpUs: number;
  private readonly otherUs: number;

  constructor(options: FlowOptions) {
    this.tcpNewUs = options.tcpNewTimeoutSecs * 1e6;
    this.tcpByState = new Float64Array(8).fill(this.tcpNewUs);
    this.tcpByState[TCP_STATE.ESTABLISHED] = options.tcpEstablishedTimeoutSecs * 1e6;
    this.tcpByState[TCP_STATE.MIDSTREAM] = options.tcpEstablishedTimeoutSecs * 1e6;
    this.tcpByState[TCP_STATE.CLOSED] = options.tcpClosedTimeoutSecs * 1e6;
    this.tcpByState[TCP_STATE.RESET] = options.tcpClosedTimeoutSecs * 1e6;
    this.udpNewUs = options.udpNewTimeoutSecs * 1e6;
    this.udpEstablishedUs = options.udpEstablishedTimeoutSecs * 1e6;
    this.icmpUs = options.icmpTimeoutSecs * 1e6;
    this.otherUs = options.otherTimeoutSecs * 1e6;
    const all = [...this.tcpByState, this.udpNewUs, this.udpEstablishedUs, this.icmpUs, this.otherUs];
    this.shortestUs = Math.min(...all);
  }

  idleUs(c: Columns, slot: number): number {
    switch (c.proto[slot]) {
      case PROTO.TCP: {
        const state = c.tcpState[slot]!;
        // One-way data picked up in mid-stream is as likely a scan or a flood.
        const isOneWay = state === TCP_STATE.MIDSTREAM && c.packetsBwd[slot] === 0;
        return isOneWay ? this.tcpNewUs : this.tcpByState[state]!;
      }
      case PROTO.UDP:
        return c.packetsBwd[slot] === 0 ? this.udpNewUs : this.udpEstablishedUs;
      case PROTO.ICMP:
      case PROTO.ICMPV6:
        return this.icmpUs;
      default:
        return this.otherUs;
    }
  }
}
