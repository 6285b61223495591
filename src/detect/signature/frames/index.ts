import { splitDatagram, splitDns, splitMqtt, splitRpc, splitRpcDatagram } from './binary.js';
import { splitRfb } from './rfb.js';
import { splitSmb } from './smb.js';
import type { Splitter } from './split.js';
import { splitHttp, splitSip, splitTelnet } from './text.js';
import { splitTls } from './tls.js';
import { own } from '../../../util/own.js';

/** The frame that every protocol over TCP has: all that one side sends. */
export const STREAM_FRAME = 'stream';

/** What a protocol's messages consist of, as `frame` names it. */
interface FrameProtocol {
  /** Protocol of transactions and flows. */
  proto: string;
  types: readonly string[];
  tcp?: Splitter;
  udp?: Splitter;
}

const names = (text: string): string[] => text.split(' ');

/** By the name in rules: the frames that Suricata 7 has. */
const PROTOCOLS: Readonly<Record<string, FrameProtocol>> = {
  tls: { proto: 'tls', types: names('pdu hdr data alert heartbeat ssl2.hdr ssl2.pdu'), tcp: splitTls },
  smb: {
    proto: 'smb',
    types: names('nbss.pdu nbss.hdr nbss.data smb1.pdu smb1.hdr smb1.data smb2.pdu smb2.hdr smb2.data smb3.pdu smb3.hdr smb3.data'), // prettier-ignore
    tcp: splitSmb,
  },
  dns: { proto: 'dns', types: ['pdu'], tcp: splitDns, udp: splitDatagram },
  http1: { proto: 'http', types: names('request response'), tcp: splitHttp },
  sip: {
    proto: 'sip',
    types: names('pdu request.line request.headers request.body response.line response.headers response.body'),
    udp: splitSip,
  },
  telnet: { proto: 'telnet', types: names('pdu ctl data'), tcp: splitTelnet },
  mqtt: { proto: 'mqtt', types: names('pdu header data'), tcp: splitMqtt },
  rfb: { proto: 'rfb', types: ['pdu'], tcp: splitRfb },
  nfs: {
    proto: 'nfs',
    types: names('rpc.pdu rpc.hdr rpc.data rpc.creds nfs4.pdu nfs4.hdr nfs4.ops nfs4.status'),
    tcp: splitRpc,
    udp: splitRpcDatagram,
  },
};
const ONLY_DATAGRAMS: ReadonlySet<string> = new Set(['sip', 'dhcp', 'snmp', 'quic', 'ike', 'tftp', 'ntp']);
const BY_PROTO = new Map(Object.values(PROTOCOLS).map((p) => [p.proto, p]));

export function splitterOf(proto: string, transport: 'tcp' | 'udp'): Splitter | undefined {
  return BY_PROTO.get(proto)?.[transport];
}

/** Frames by the name of their protocol, for documentation and tests. */
export function frameReference(): { proto: string; types: readonly string[] }[] {
  return Object.entries(PROTOCOLS).map(([proto, { types }]) => ({ proto, types }));
}

/**
 * `TYPE` in a rule of the protocol, or `PROTOCOL.TYPE`.
 * @param ruleProto protocol of the rule's header. @param isProtocol whether a name is one of an application protocol.
 * @throws {Error} when there is no such frame.
 */
export function parseFrame(
  text: string,
  ruleProto: string,
  isProtocol: (name: string) => boolean,
): { proto: string; type: string } {
  const ownProto = ruleProto === 'http' ? 'http1' : ruleProto;
  const dot = text.indexOf('.');
  const first = text.slice(0, dot);
  for (const [name, type] of [[ownProto, text], ...(dot < 0 ? [] : [[first, text.slice(dot + 1)]])] as [
    string,
    string,
  ][]) {
    const known = own(PROTOCOLS, name);
    if (known?.types.includes(type) === true && !(ruleProto === 'http' && type === text))
      return { proto: known.proto, type };
    if (type === STREAM_FRAME && isProtocol(name) && !ONLY_DATAGRAMS.has(name))
      return { proto: known?.proto ?? name, type };
  }
  throw new Error(`"${text}" is not a frame of ${ownProto}`);
}
