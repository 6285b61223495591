import type { AppProto } from '../domain/app-layer.js';
import type { Direction } from '../domain/flow.js';
import { looksLikeDns } from './dns/message.js';
import { guessBinary, guessDatagram, type Side } from './protocol-binary.js';

export interface Detected {
  proto: AppProto;
  /** The flow's source is the server. */
  isReversed: boolean;
}

/** Methods by which a request is known; with those of WebDAV. */
const METHODS =
  /^\s{0,16}(GET|POST|HEAD|PUT|OPTIONS|DELETE|CONNECT|TRACE|PATCH|PROPFIND|PROPPATCH|MKCOL|COPY|MOVE|LOCK|UNLOCK|VERSION-CONTROL|CHECKOUT|UNCHECKOUT|CHECKIN|UPDATE|LABEL|REPORT|MKWORKSPACE|MKACTIVITY|BASELINE-CONTROL|MERGE|INVALID|SEARCH|SUBSCRIBE|NOTIFY|BPROPFIND|BPROPPATCH|BCOPY|BMOVE|BDELETE)[ \t]/;
const ANY_REQUEST = /^[A-Z][A-Z0-9_-]{2,31}[ \t]+\S[^\r\n]* HTTP\/\d\.\d\r?\n/;
const HTTP2_PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
/** Longest beginning that has to be seen before a protocol is ruled out. */
const SURE_BYTES = 64;

const MDNS_PORT = 5353;
const TLS_RECORDS = new Set([0x14, 0x15, 0x16, 0x17]);

function fromText(text: string, length: number): [AppProto, Side] | 'wait' | undefined {
  if (text.startsWith('SSH-')) return ['ssh', 'either'];
  if (HTTP2_PREFACE.startsWith(text.slice(0, HTTP2_PREFACE.length)) && text.startsWith('PRI ')) {
    return text.length < HTTP2_PREFACE.length ? 'wait' : ['http2', 'request'];
  }
  if (/^(INVITE|REGISTER|OPTIONS|ACK|BYE|CANCEL|SUBSCRIBE|NOTIFY|MESSAGE) sips?:/i.test(text))
    return ['sip', 'request'];
  if (text.startsWith('SIP/2.0 ')) return ['sip', 'response'];
  if (/^RFB \d{3}\.\d{3}\n/.test(text)) return ['rfb', 'either'];
  if (METHODS.test(text) || ANY_REQUEST.test(text)) return ['http', 'request'];
  if (/^\s{0,16}HTTP\//i.test(text)) return ['http', 'response'];
  if (/^220[ -][^\r\n]*\bFTP\b/i.test(text) || text.startsWith('220 (')) return ['ftp', 'response'];
  if (/^220[ -][^\r\n]*(SMTP|mail)/i.test(text)) return ['smtp', 'response'];
  if (/^(EHLO|HELO)[ \r\n]/i.test(text)) return ['smtp', 'request'];
  if (/^(AUTH (TLS|SSL)|FEAT\r?\n|(USER|PASS|PORT) [^\r\n]*\r?\n)/i.test(text)) return ['ftp', 'request'];
  if (/^\* (OK|PREAUTH|BYE) /.test(text)) return ['imap', 'response'];
  // Printable text may still turn out to be one of these.
  return length < SURE_BYTES && /^[\s\x20-\x7e]*$/.test(text) ? 'wait' : undefined;
}

function fromTls(d: Uint8Array): [AppProto, Side] | 'wait' | undefined {
  if (TLS_RECORDS.has(d[0]!)) {
    if (d.length < 3) return 'wait';
    if (d[1] === 3 && d[2]! <= 4) {
      if (d[0] !== 0x16) return ['tls', 'either'];
      if (d.length < 6) return 'wait';
      if (d[5] === 1) return ['tls', 'request'];
      return d[5] === 2 ? ['tls', 'response'] : ['tls', 'either'];
    }
    return undefined;
  }
  // SSLv2 record with a client hello that offers SSLv2 or later.
  if ((d[0]! & 0x80) === 0) return undefined;
  if (d.length < 5) return 'wait';
  const isHello = d[2] === 1 && ((d[3] === 3 && d[4]! <= 4) || (d[3] === 0 && d[4] === 2));
  return isHello ? ['tls', 'request'] : undefined;
}

/** Finds the protocol from the first bytes of one direction. @returns undefined when these bytes are of none. */
export function detectProtocol(
  d: Uint8Array,
  direction: Direction,
  transport: 'tcp' | 'udp',
  ports: { srcPort: number; dstPort: number },
): Detected | 'wait' | undefined {
  if (transport === 'udp') return datagram(d, direction, ports);
  const fromServer = direction === 1;
  const made = ([proto, side]: [AppProto, Side]): Detected => {
    const isReversed =
      side === 'either' ? ports.srcPort < ports.dstPort && isWellKnown(ports) : (side === 'response') !== fromServer;
    return { proto, isReversed };
  };
  const tls = fromTls(d);
  if (tls === 'wait') return 'wait';
  if (tls !== undefined) return made(tls);
  const binary = guessBinary(d, ports, fromServer);
  if (binary !== undefined && binary !== 'wait') return made([binary[0], binary[1]]);
  const text = Buffer.from(d.buffer, d.byteOffset, Math.min(d.length, 512)).toString('latin1');
  const found = fromText(text, d.length);
  if (found !== undefined && found !== 'wait') return made(found);
  // DNS over TCP: the length of the message, then the message.
  if (d.length >= 2) {
    const length = d[0]! * 256 + d[1]!;
    if (length >= 12 && d.length < 14) return 'wait';
    const isResponse = length >= 12 ? looksLikeDns(d.subarray(2, 2 + length), d.length < 2 + length) : undefined;
    if (isResponse !== undefined) return made(['dns', isResponse ? 'response' : 'request']);
  }
  return found ?? binary;
}

function isWellKnown(ports: { srcPort: number; dstPort: number }): boolean {
  return ports.srcPort === 22 || ports.srcPort === 443;
}

function datagram(
  d: Uint8Array,
  direction: Direction,
  ports: { srcPort: number; dstPort: number },
): Detected | undefined {
  const fromServer = direction === 1;
  const guess = guessDatagram(d, ports, fromServer);
  if (guess !== undefined && guess !== 'wait') return { proto: guess[0], isReversed: false };
  const isResponse = looksLikeDns(d, false);
  if (isResponse === undefined) return undefined;
  // Answers without a question are nothing odd there.
  if (ports.dstPort === MDNS_PORT) return { proto: 'mdns', isReversed: false };
  return { proto: 'dns', isReversed: isResponse !== fromServer };
}
