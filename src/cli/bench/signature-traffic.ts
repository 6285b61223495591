import { openPcapWriter } from '../../capture/index.js';
import { LINK } from '../../domain/packet.js';
import { tcpConversation, udpExchange, type Frame } from './signature-frames.js';

/** Deterministic xorshift32: the same capture on every machine. */
export type Random = (below: number) => number;

const SEGMENT = 1448;
const PACKET_GAP_US = 20;
const START_US = 1.8e15;
/** Conversations under way at the same time. */
const CONCURRENCY = 64;

const WORDS =
  'the of and to in for is on that by this with you it not or be are from at as your all have new more an was we will home can us about if page my has search free but our one other do no information time they site he up may what which their news out use any there see only so his when contact here business who web also now help get view online first am been would how were services some these click its like service than find price date back top people had list name just over state year day into email two health world next used go work last most products music buy data make them should product system post her city add policy number such please available copyright support message after best software then good video well where info rights public books high school through each links she review years order very privacy book items company read group need many user said set under general research university january mail full map reviews program life know games way days management part could great united hotel real item international center must store travel comments made development report off member details line terms before hotels did send right type because local those using results office education national car design take posted internet address community within states area want phone shipping reserved subject between forum family long based code show even black check special prices website index being women much sign file link open today technology south case project same pages version section own found sports house related security both county american photo game members power while care network down computer systems three total place end following download him without per access think north resources current posts big media law control water history pictures size art personal since including guide shop directory board location change white text small rating rate government children during return students shopping account times sites level digital profile previous form events love old john main call hours image department title description'.split(
    ' ',
  );
const HOSTS = ['www.example.com', 'static.example.net', 'shop.example.org', 'intranet.example', 'cdn.example.net'];
const AGENTS = [
  'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36',
];

const pick = <T>(random: Random, list: readonly T[]): T => list[random(list.length)]!;
const words = (random: Random, count: number): string =>
  Array.from({ length: count }, () => pick(random, WORDS)).join(' ');

function noise(random: Random, length: number): Uint8Array {
  const out = new Uint8Array(length);
  for (let i = 0; i < length; i++) out[i] = random(256);
  return out;
}

function page(random: Random): Buffer {
  const parts = Array.from(
    { length: 4 + random(40) },
    () =>
      `<div class="${pick(random, WORDS)}"><a href="/${pick(random, WORDS)}/${pick(random, WORDS)}.html">${words(random, 4)}</a><p>${words(random, 60)}.</p></div>\n`,
  );
  return Buffer.from(
    `<!DOCTYPE html><html><head><title>${words(random, 5)}</title></head><body>\n${parts.join('')}</body></html>\n`,
  );
}

function request(random: Random): Buffer {
  const path = `/${pick(random, WORDS)}/${pick(random, WORDS)}.html?${pick(random, WORDS)}=${random(1e6)}`;
  return Buffer.from(
    `GET ${path} HTTP/1.1\r\nHost: ${pick(random, HOSTS)}\r\nUser-Agent: ${pick(random, AGENTS)}\r\nAccept: text/html,*/*;q=0.8\r\n` +
      `Accept-Language: en-US,en;q=0.5\r\nReferer: http://${pick(random, HOSTS)}/\r\nCookie: session=${random(1e9)}; theme=light\r\n\r\n`,
  );
}

function response(random: Random): Buffer {
  const isText = random(10) < 6;
  const body = isText ? page(random) : Buffer.from(noise(random, 4000 + random(60_000)));
  const head =
    `HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Fri, 15 Jan 2027 08:00:00 GMT\r\nContent-Type: ${isText ? 'text/html; charset=utf-8' : 'image/jpeg'}\r\n` +
    `Content-Length: ${body.length}\r\nCache-Control: max-age=600\r\nConnection: keep-alive\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

function* web(random: Random): Generator<Frame> {
  const turns: Buffer[] = [];
  for (let n = 1 + random(5); n > 0; n--) turns.push(request(random), response(random));
  yield* tcpConversation(random, { serverPort: 80, turns, segment: SEGMENT });
}

function record(type: number, content: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([type, 3, 3, content.length >>> 8, content.length & 255]), content]);
}

function clientHello(random: Random): Buffer {
  const name = Buffer.from(pick(random, HOSTS));
  const sni = Buffer.concat([Buffer.from([0, 0, 0, name.length + 5, 0, name.length + 3, 0, 0, name.length]), name]);
  const groups = Buffer.from([0, 10, 0, 4, 0, 2, 0, 29]);
  const extensions = Buffer.concat([sni, groups]);
  const body = Buffer.concat([
    Buffer.from([3, 3]),
    noise(random, 32),
    Buffer.from([0, 0, 6, 0x13, 0x01, 0xc0, 0x2b, 0xc0, 0x2f, 1, 0, extensions.length >>> 8, extensions.length & 255]),
    extensions,
  ]);
  return record(22, Buffer.concat([Buffer.from([1, 0, body.length >>> 8, body.length & 255]), body]));
}

function serverHello(random: Random): Buffer {
  const body = Buffer.concat([Buffer.from([3, 3]), noise(random, 32), Buffer.from([0, 0xc0, 0x2f, 0, 0, 0])]);
  const hello = record(22, Buffer.concat([Buffer.from([2, 0, body.length >>> 8, body.length & 255]), body]));
  return Buffer.concat([hello, record(20, Uint8Array.of(1)), record(22, noise(random, 40))]);
}

function* tls(random: Random): Generator<Frame> {
  const finished = Buffer.concat([record(20, Uint8Array.of(1)), record(22, noise(random, 40))]);
  const turns: Buffer[] = [clientHello(random), serverHello(random), finished, Buffer.alloc(0)];
  for (let n = 1 + random(4); n > 0; n--) {
    const records = Array.from({ length: 1 + random(6) }, () => record(23, noise(random, 1000 + random(15_000))));
    turns.push(record(23, noise(random, 200 + random(600))), Buffer.concat(records));
  }
  yield* tcpConversation(random, { serverPort: 443, turns, segment: SEGMENT });
}

function* dns(random: Random): Generator<Frame> {
  const name = `${pick(random, WORDS)}-${random(1000)}.example.com`;
  const labels = name.split('.').flatMap((label) => [Buffer.from([label.length]), Buffer.from(label)]);
  const question = Buffer.concat([...labels, Buffer.from([0, 0, 1, 0, 1])]);
  const id = [random(256), random(256)];
  const query = Buffer.concat([Buffer.from([...id, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]), question]);
  const answer = Buffer.concat([
    Buffer.from([...id, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]),
    question,
    Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 198, 51, 100, random(256)]),
  ]);
  yield* udpExchange(random, 53, query, answer);
}

/** One probe of a port scan: refused. */
function* probe(random: Random): Generator<Frame> {
  yield* tcpConversation(random, { serverPort: 1 + random(10_000), turns: undefined, segment: SEGMENT });
}

/** Shares of conversations; a web conversation has some fifty packets, a probe two. */
function begin(random: Random): Generator<Frame> {
  const kind = random(100);
  if (kind < 22) return web(random);
  if (kind < 40) return tls(random);
  return kind < 75 ? dns(random) : probe(random);
}

/** Writes a capture of interleaved web, TLS and DNS conversations and probes of a scan. @returns bytes of its frames. */
export function writeMixedTraffic(path: string, packets: number): number {
  let state = 0x9e3779b9;
  const random: Random = (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
  const writer = openPcapWriter(path, LINK.ETHERNET);
  const active = Array.from({ length: CONCURRENCY }, () => begin(random));
  let bytes = 0;
  for (let n = 0; n < packets;) {
    const at = random(CONCURRENCY);
    const next = active[at]!.next();
    if (next.done) {
      active[at] = begin(random);
      continue;
    }
    writer.writeFrame(next.value, START_US + n * PACKET_GAP_US);
    bytes += next.value.length;
    n++;
  }
  writer.close();
  return bytes;
}
