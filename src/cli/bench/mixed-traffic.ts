import type { PacketBlock } from '../../domain/packet.js';
import { Traffic } from './traffic.js';

const IP_AT = 14;
const PORTS_AT = 34;
const TCP_PAYLOAD_AT = 54;
const UDP_PAYLOAD_AT = 42;
const TLS_PORT = 443;
const HTTP_PORT = 80;
/** Clients of the company. */
const HOSTS = 400;

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);
const REQUEST = ascii(
  'GET /images/product-7.jpg HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101\r\n' +
    'Accept: image/avif,image/webp,*/*\r\nAccept-Language: en\r\nCookie: session='.padEnd(300, '0') +
    '\r\n\r\n',
);
const ANSWER = ascii('HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: image/jpeg\r\nContent-Length: 3620\r\n\r\n');
const CLIENT_HELLO = Uint8Array.of(0x16, 0x03, 0x01, 0x01, 0x9f, 0x01, 0x00, 0x01, 0x9b, 0x03, 0x03);
const SERVER_HELLO = Uint8Array.of(0x16, 0x03, 0x03, 0x05, 0xaf, 0x02, 0x00, 0x00, 0x76, 0x03, 0x03);
const QUERY = Uint8Array.of(0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...[3, 119, 119, 119, 4, 115, 104, 111, 112], 0);
const DNS_ANSWER = QUERY.with(2, 0x81).with(3, 0x80).with(7, 1);

/** Packets in blocks; `refill` replaces them by those that follow. */
export interface Packets {
  blocks: PacketBlock[];
  refill(): void;
}

/** About as many as a block of the capture's ring holds. */
const BLOCK_PACKETS = 256;

/**
 * The traffic of a company of 400 hosts with contents: web connections, half of them readable HTTP and half TLS, and DNS
 * look-ups with their answers; 50,000 packets a second.
 */
export function mixedTraffic(packets: number): Packets {
  const traffic = new Traffic({ concurrency: 2000, withPayload: true, gapUs: 20, startUs: 1.8e15 });
  const blocks = Array.from({ length: packets / BLOCK_PACKETS }, () => traffic.createBlock(BLOCK_PACKETS));
  const refill = (): void => {
    for (const block of blocks) {
      block.data.fill(0x61);
      traffic.fill(block);
      for (let i = 0; i < block.count; i++) fillIn(block.data, block.offset[i]!);
    }
  };
  refill();
  return { blocks, refill };
}

function fillIn(d: Uint8Array, at: number): void {
  const bytes = u16(d, at + IP_AT + 2) - 20;
  const isTcp = d[at + IP_AT + 9] === 6;
  const back = d[at + 5] === 1;
  const clientAt = at + IP_AT + (back ? 16 : 12) + 2;
  const client = u16(d, clientAt) % HOSTS;
  d[clientAt] = client >> 8;
  d[clientAt + 1] = client & 255;
  if (!isTcp) {
    d.set(back ? DNS_ANSWER : QUERY, at + UDP_PAYLOAD_AT);
    return;
  }
  const serverAt = at + PORTS_AT + (back ? 0 : 2);
  const clientPort = u16(d, at + PORTS_AT + (back ? 2 : 0));
  const isHttp = clientPort % 2 === 1;
  const port = isHttp ? HTTP_PORT : TLS_PORT;
  d[serverAt] = port >> 8;
  d[serverAt + 1] = port & 255;
  if (bytes === 20 + 420) {
    d.set(isHttp ? REQUEST : CLIENT_HELLO, at + TCP_PAYLOAD_AT);
    // Every request asks for something else.
    if (isHttp) for (let i = 0; i < 4; i++) d[at + TCP_PAYLOAD_AT + 13 + i] = 0x61 + ((clientPort >> (4 * i)) & 15);
  }
  if (bytes === 20 + 1460) d.set(isHttp ? ANSWER : SERVER_HELLO, at + TCP_PAYLOAD_AT);
}

function u16(d: Uint8Array, at: number): number {
  return d[at]! * 256 + d[at + 1]!;
}

/** SYNs of one host to the ports of 256 others, each answered by a RST: a scan, and the worst case a packet. */
export function scanTraffic(packets: number): Packets {
  const mixed = mixedTraffic(packets);
  let n = 0;
  const refill = (): void => {
    mixed.refill();
    for (const block of mixed.blocks) {
      for (let i = 0; i < block.count; i++, n++) writeProbe(block, i, n >> 1, n % 2 === 1);
    }
  };
  refill();
  return { blocks: mixed.blocks, refill };
}

function writeProbe(block: PacketBlock, i: number, probe: number, back: boolean): void {
  const d = block.data;
  const at = block.offset[i]!;
  const view = new DataView(d.buffer, d.byteOffset + at, TCP_PAYLOAD_AT);
  const scanner = 0xcb007109;
  const host = (0xc6336400 | (probe & 255)) >>> 0;
  const port = 1 + ((probe >> 8) % 60_000);
  view.setUint16(12, 0x0800);
  view.setUint16(16, 40);
  view.setUint8(23, 6);
  view.setUint32(26, back ? host : scanner);
  view.setUint32(30, back ? scanner : host);
  view.setUint16(34, back ? port : 40_000);
  view.setUint16(36, back ? 40_000 : port);
  view.setUint32(38, back ? 0 : probe);
  view.setUint32(42, back ? probe + 1 : 0);
  view.setUint8(46, 0x50);
  view.setUint8(47, back ? 0x14 : 0x02);
  block.capLen[i] = 60;
  block.wireLen[i] = 60;
}
