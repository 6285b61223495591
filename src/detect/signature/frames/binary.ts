import { be16, be32, inTwo, type FlowKnowledge, type Part, type Splitter } from './split.js';

/** DNS over TCP: behind two bytes of length. */
export const splitDns: Splitter = (d) => {
  if (d.length < 2) return undefined;
  const length = 2 + be16(d, 0);
  return { parts: [['pdu', 2, length]], length };
};

/** A datagram that is one message. */
export const splitDatagram: Splitter = (d) => ({ parts: [['pdu', 0, d.length]], length: d.length });

/** Packets of MQTT: a type, the length in one to four bytes of seven bits, the rest. */
export const splitMqtt: Splitter = (d) => {
  let size = 0;
  for (let i = 1; i < 5; i++) {
    if (i >= d.length) return undefined;
    size += (d[i]! & 0x7f) * 128 ** (i - 1);
    if (d[i]! < 0x80) return { parts: inTwo(['pdu', 'header', 'data'], i + 1, i + 1 + size), length: i + 1 + size };
  }
  return undefined;
};

const CALL = 0;
const NFS4 = 4;
const NFS_PROGRAM = 100_003;

/**
 * What ONC RPC (RFC 5531) has within one message. @param at where its transaction number is: behind the record mark, if there is one.
 */
function rpcParts(d: Uint8Array, at: number, length: number, known: FlowKnowledge): Part[] {
  const isCall = be32(d, at + 4) === CALL;
  if (isCall && be32(d, at + 12) === NFS_PROGRAM) known.nfsVersion = be32(d, at + 16);
  if (!isCall) {
    const head = at + 8;
    // Transaction, kind, accepted or not, kind and length of the verifier, state.
    const parts: Part[] = [['rpc.hdr', 0, head], ['rpc.data', head, length]]; // prettier-ignore
    return known.nfsVersion === NFS4 ? [...parts, ...nfs4Parts(at + 24 + be32(d, at + 16), length, true)] : parts;
  }
  const end = at + 32 + be32(d, at + 28);
  const parts: Part[] = [['rpc.creds', at + 24, Math.min(end, length)]];
  if (known.nfsVersion !== NFS4 || d.length < end + 8) return parts;
  return [...parts, ...nfs4Parts(end + 8 + be32(d, end + 4), length, false)];
}

function nfs4Parts(from: number, length: number, hasStatus: boolean): Part[] {
  if (from >= length) return [];
  const parts: Part[] = inTwo(['nfs4.pdu', 'nfs4.hdr', 'nfs4.ops'], 8, length - from);
  if (hasStatus) parts.push(['nfs4.status', 0, Math.min(4, length - from)]);
  return parts.map(([type, begin, end]) => [type, from + begin, from + end]);
}

const RPC_LEAST = 40;
/** Credentials have 400 bytes at most, and so has a verifier. */
const RPC_HEAD = 512;

/** NFS over TCP: RPC behind a record mark. */
export const splitRpc: Splitter = (d, _, known) => {
  if (d.length < 4) return undefined;
  const length = 4 + (be32(d, 0) & 0x7fffffff);
  if (d.length < Math.min(length, RPC_HEAD)) return undefined;
  const parts: Part[] = [['rpc.pdu', 0, length]];
  if (length >= RPC_LEAST) parts.push(...rpcParts(d, 4, length, known));
  return { parts, length };
};

/** NFS over UDP. */
export const splitRpcDatagram: Splitter = (d, _, known) => {
  const parts: Part[] = [['rpc.pdu', 0, d.length]];
  if (d.length >= RPC_LEAST) parts.push(...rpcParts(d, 0, d.length, known));
  return { parts, length: d.length };
};
