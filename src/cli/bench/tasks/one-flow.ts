import type { FlowColumns } from '../../../domain/flow.js';

/** A flow table of one flow, 10.0.0.1:40000 to 192.0.2.1:80: context for rows whose flow does not matter. */
export function oneFlow(): FlowColumns {
  return {
    capacity: 1,
    flowId: Float64Array.of(1),
    proto: Uint8Array.of(6),
    ipVersion: Uint8Array.of(4),
    srcAddr: Uint32Array.of(0, 0, 0, 0x0a000001),
    dstAddr: Uint32Array.of(0, 0, 0, 0xc0000201),
    srcPort: Uint16Array.of(40_000),
    dstPort: Uint16Array.of(80),
    startUs: Float64Array.of(1e15),
    lastUs: Float64Array.of(1e15),
    packetsFwd: Uint32Array.of(5),
    packetsBwd: Uint32Array.of(4),
    bytesFwd: Float64Array.of(500),
    bytesBwd: Float64Array.of(400),
    payloadFwd: Float64Array.of(200),
    payloadBwd: Float64Array.of(200),
    tcpFlagsFwd: new Uint8Array(1),
    tcpFlagsBwd: new Uint8Array(1),
    tcpState: Uint8Array.of(3),
    handshakePackets: Uint32Array.of(3),
  };
}
