import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { createPipeline } from '../../../src/daemons/pipeline.js';
import { createSignatures } from '../../../src/daemons/signatures.js';
import { signatureOptionsSchema } from '../../../src/detect/signature/index.js';
import type { Detection } from '../../../src/domain/detection.js';
import { LINK, TCP, type PacketBlock } from '../../../src/domain/packet.js';
import { ethernet, ipv4, tcp } from '../../unit/decode/frames.js';

/** Rules for what the attacker wants to hide: in the URL, in a body to the server, in an answer, in the stream. */
const RULES = `
alert http any any -> any any (msg:"url"; flow:established,to_server; http.uri; content:"/etc/passwd"; sid:1;)
alert http any any -> any any (msg:"body"; flow:established,to_server; http.request_body; content:"<script>alert"; sid:2;)
alert http any any -> any any (msg:"answer"; flow:established,to_client; file.data; content:"uid=0(root)"; sid:3;)
alert tcp any any -> any any (msg:"stream"; flow:established,to_server; content:"evil-payload"; sid:4;)
`;
const CLIENT = '203.0.113.9';
const SERVER = '10.0.0.2';
const DATA = TCP.PSH | TCP.ACK;
const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

let file: string;
before(() => {
  file = join(mkdtempSync(join(tmpdir(), 'portcullis-evasion-')), 'evasion.rules');
  writeFileSync(file, RULES);
});
after(() => {
  rmSync(join(file, '..'), { recursive: true, force: true });
});

/** IP payload of one TCP segment in a direction, and how it is sent. */
interface Segment {
  from: 'C' | 'S';
  offset: number;
  data: Uint8Array;
  flags?: number;
  /** Cut the IP packet into fragments of this many bytes (a multiple of 8). */
  fragment?: number;
  fragmentOrder?: 'reverse';
}

function frames(s: Segment, ipId: number): Uint8Array[] {
  const [src, dst] = s.from === 'C' ? [CLIENT, SERVER] : [SERVER, CLIENT];
  const ports = s.from === 'C' ? { srcPort: 40_000, dstPort: 8088 } : { srcPort: 8088, dstPort: 40_000 };
  const begin = { C: 1001, S: 5001 };
  const seq = begin[s.from] + s.offset;
  const flags = s.flags ?? DATA;
  const segment = tcp({ ...ports, flags, seq, ack: begin[s.from === 'C' ? 'S' : 'C'] }, s.data);
  const size = s.fragment ?? segment.length;
  const out: Uint8Array[] = [];
  for (let at = 0; at < segment.length; at += size) {
    const last = at + size >= segment.length;
    const fields = { src, dst, proto: 6, id: ipId, flags: last ? 0 : 1, fragOffset: at };
    out.push(ethernet(0x0800, ipv4(fields, segment.subarray(at, at + size))));
  }
  return s.fragmentOrder === 'reverse' ? out.reverse() : out;
}

/** Handshake, the segments as given, and the end; through decoder, defragmenter, flow table and the engine. */
function alertsOf(segments: readonly Segment[]): number[] {
  const path = openPath();
  path.send(segments);
  return path.end();
}

function openPath(stream: object = {}) {
  const found: Detection[] = [];
  const options = {
    ...signatureOptionsSchema.parse({ rules: [file] }),
    stream: { inspect: 'arrival' as const, ...stream },
  };
  const signatures = createSignatures(options, { emit: (d) => found.push(d), sensor: 'test' });
  const pipeline = createPipeline({}, { observers: [signatures.observer] });
  const none = new Uint8Array(0);
  const handshake: Segment[] = [
    { from: 'C', offset: -1, data: none, flags: TCP.SYN },
    { from: 'S', offset: -1, data: none, flags: TCP.SYN | TCP.ACK },
    { from: 'C', offset: 0, data: none, flags: TCP.ACK },
  ];
  let n = 0;
  const send = (segments: readonly Segment[]): void => {
    for (const segment of segments) {
      for (const frame of frames(segment, ++n)) pipeline.push(block(frame, 1e6 * 1000 + n * 2000));
    }
  };
  send(handshake);
  return {
    send,
    reload: () => signatures.reload(),
    /** Transactions of the connection, which is the only flow. */
    waiting: () => signatures.observer.appOf(0)?.transactions.length ?? NaN,
    end(): number[] {
      pipeline.flush();
      return [...new Set(found.map((d) => d.signatureId))].sort();
    },
  };
}

function block(frame: Uint8Array, tsUs: number): PacketBlock {
  return {
    data: frame,
    count: 1,
    offset: Int32Array.of(0),
    capLen: Int32Array.of(frame.length),
    wireLen: Int32Array.of(frame.length),
    tsUs: Float64Array.of(tsUs),
    linkType: LINK.ETHERNET,
    interfaceId: 0,
  };
}

/** One direction's bytes in pieces. */
function pieces(from: 'C' | 'S', data: Uint8Array, size: number): Segment[] {
  const out: Segment[] = [];
  for (let at = 0; at < data.length; at += size) out.push({ from, offset: at, data: data.subarray(at, at + size) });
  return out;
}

const get = (uri: string, more = ''): Buffer => latin1(`GET ${uri} HTTP/1.1\r\nHost: shop.example\r\n${more}\r\n`);
const HIDDEN = get('/x?f=/etc/passwd');
const whole = (data: Uint8Array): Segment[] => [{ from: 'C', offset: 0, data }];

describe('rules that are loaded again in the middle of a connection', () => {
  for (const cut of [5, 12, 20, HIDDEN.length - 2])
    test(`judge a request whole of which ${cut} bytes came before`, async () => {
      const path = openPath();
      path.send([{ from: 'C', offset: 0, data: HIDDEN.subarray(0, cut) }]);
      await path.reload();
      path.send([{ from: 'C', offset: cut, data: HIDDEN.subarray(cut) }]);
      assert.deepEqual(path.end(), [1]);
    });
  test('do not alert a second time on what was judged', async () => {
    const path = openPath();
    path.send(whole(HIDDEN));
    await path.reload();
    path.send([{ from: 'C', offset: HIDDEN.length, data: get('/harmless') }]);
    assert.deepEqual(path.end(), [1]);
  });
  test('find what crosses the moment in the stream', async () => {
    const path = openPath();
    path.send([{ from: 'C', offset: 0, data: latin1('xxxx evil-pa') }]);
    await path.reload();
    path.send([{ from: 'C', offset: 12, data: latin1('yload xxxx') }]);
    assert.deepEqual(path.end(), [4]);
  });
});

test('requests are judged, and forgotten, when the answers have passed the depth of a stream', () => {
  const path = openPath({ depthKiB: 16 });
  const answer = latin1(`HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n${'x'.repeat(900)}`);
  const request = get('/harmless');
  const round = (n: number): Segment[] => [
    { from: 'C', offset: n * request.length, data: request },
    { from: 'S', offset: n * answer.length, data: answer },
  ];
  for (let n = 0; n < 100; n++) path.send(round(n));
  assert.ok(path.waiting() <= 1, `${path.waiting()} transactions wait`);
  path.send([{ from: 'C', offset: 100 * request.length, data: HIDDEN }]);
  assert.deepEqual(path.end(), [1]);
});

describe('a request is found however its segments come', () => {
  for (const size of [1, 2, 3, 7, 1400])
    test(`in segments of ${size} bytes`, () => {
      assert.deepEqual(alertsOf(pieces('C', HIDDEN, size)), [1]);
    });
  test('in reverse order', () => {
    assert.deepEqual(alertsOf(pieces('C', HIDDEN, 5).reverse()), [1]);
  });
  test('every other one late', () => {
    const all = pieces('C', HIDDEN, 4);
    assert.deepEqual(alertsOf([...all.filter((_, i) => i % 2 === 1), ...all.filter((_, i) => i % 2 === 0)]), [1]);
  });
  test('each sent twice', () => {
    assert.deepEqual(alertsOf(pieces('C', HIDDEN, 6).flatMap((s) => [s, s])), [1]);
  });
  test('overlapping the one before, with the same bytes', () => {
    const all = pieces('C', HIDDEN, 6).map((s) => ({ ...s, data: HIDDEN.subarray(s.offset, s.offset + 11) }));
    assert.deepEqual(alertsOf(all), [1]);
  });
  test('with bytes beyond what was there already that differ from it', () => {
    // The receiver keeps the bytes that came first.
    const first = { from: 'C' as const, offset: 0, data: HIDDEN.subarray(0, 20) };
    const liar = { from: 'C' as const, offset: 10, data: Buffer.concat([latin1('##########'), HIDDEN.subarray(20)]) };
    assert.deepEqual(alertsOf([first, liar]), [1]);
  });
  test('with a segment of another connection in between that a receiver ignores', () => {
    const [a, b] = pieces('C', HIDDEN, 20);
    const stray: Segment = { from: 'C', offset: 100_000_000, data: latin1('nothing to see here') };
    assert.deepEqual(alertsOf([a!, stray, b!, ...pieces('C', HIDDEN, 20).slice(2)]), [1]);
  });
  for (const fragment of [8, 16, 24, 64])
    test(`in fragments of ${fragment} bytes`, () => {
      assert.deepEqual(alertsOf([{ ...whole(HIDDEN)[0]!, fragment }]), [1]);
    });
  test('in fragments in reverse order', () => {
    assert.deepEqual(alertsOf([{ ...whole(HIDDEN)[0]!, fragment: 16, fragmentOrder: 'reverse' }]), [1]);
  });
  test('in small segments that are fragments as well', () => {
    assert.deepEqual(alertsOf(pieces('C', HIDDEN, 9).map((s) => ({ ...s, fragment: 8 }))), [1]);
  });
  test('a pattern over the border of segments in any stream', () => {
    assert.deepEqual(alertsOf(pieces('C', latin1('hello evil-payload bye'), 3)), [4]);
  });
  test('and ordinary bytes in the same pieces raise nothing', () => {
    assert.deepEqual(alertsOf(pieces('C', get('/x?f=/etc/hosts'), 3)), []);
    assert.deepEqual(alertsOf(pieces('C', latin1('hello evil--payload bye'), 3)), []);
  });
});

describe('a path is found however it is written', () => {
  for (const uri of [
    '/x?f=%2fetc%2fpasswd',
    '/x?f=%2Fetc%2Fpass%77d',
    '/%65tc/passwd',
    '//etc//passwd',
    '/a/../etc/passwd',
    '/a/./../etc/./passwd',
    '/x/..%2f..%2fetc%2fpasswd',
    'http://shop.example/etc/passwd',
  ])
    // prettier-ignore
    test(uri, () => {
      assert.deepEqual(alertsOf(pieces('C', get(uri), 13)), [1]);
    });
  test('behind white space and with a bare line feed', () => {
    assert.deepEqual(alertsOf(whole(latin1('\r\nGET\t/etc/passwd  HTTP/1.1\nHost: a\n\n'))), [1]);
  });
  test('behind a CONNECT that is refused', () => {
    const sent = Buffer.concat([latin1('CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n'), HIDDEN]);
    const answer = latin1('HTTP/1.1 405 No\r\nContent-Length: 0\r\n\r\n');
    assert.deepEqual(alertsOf([...whole(sent), { from: 'S', offset: 0, data: answer }]), [1]);
  });
  test('inside of a tunnel that CONNECT opened', () => {
    const sent = latin1('CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n');
    const answer = latin1('HTTP/1.1 200 OK\r\n\r\n');
    const segments: Segment[] = [...whole(sent), { from: 'S', offset: 0, data: answer }];
    assert.deepEqual(alertsOf([...segments, { from: 'C', offset: sent.length, data: HIDDEN }]), [1]);
  });
  test('in the second of two requests sent at once', () => {
    assert.deepEqual(alertsOf(whole(Buffer.concat([get('/first'), HIDDEN]))), [1]);
  });
});

const SCRIPT = 'q=<script>alert(1)</script>';
const chunked = (text: Uint8Array, size: number, tail = ''): Buffer => {
  const out: Buffer[] = [];
  for (let at = 0; at < text.length; at += size) {
    const part = text.subarray(at, at + size);
    out.push(latin1(`${part.length.toString(16)}${tail}\r\n`), Buffer.from(part), latin1('\r\n'));
  }
  return Buffer.concat([...out, latin1('0\r\n\r\n')]);
};
const post = (head: string, body: Uint8Array): Buffer =>
  Buffer.concat([latin1(`POST /c HTTP/1.1\r\nHost: a\r\n${head}\r\n\r\n`), body]);

describe('a body is found however it is sent', () => {
  for (const size of [1, 3, 1000])
    test(`in chunks of ${size} bytes`, () => {
      const request = post('Transfer-Encoding: chunked', chunked(latin1(SCRIPT), size));
      assert.deepEqual(alertsOf(pieces('C', request, 11)), [2]);
    });
  test('in chunks with extensions and leading zeros', () => {
    const body = latin1(`0000${SCRIPT.length.toString(16)};a=b\r\n${SCRIPT}\r\n0\r\n\r\n`);
    assert.deepEqual(alertsOf(whole(post('Transfer-Encoding: chunked', body))), [2]);
  });
  test('with both a length and chunks', () => {
    const request = post('Content-Length: 3\r\nTransfer-Encoding: chunked', chunked(latin1(SCRIPT), 6));
    assert.deepEqual(alertsOf(whole(request)), [2]);
  });
  for (const [name, encode, token] of [
    ['gzip', gzipSync, 'gzip'],
    ['x-gzip', gzipSync, 'x-gzip'],
    ['deflate', deflateSync, 'deflate'],
    ['deflate without its header', deflateRawSync, 'deflate'],
    ['brotli', brotliCompressSync, 'br'],
    ['gzip twice', (d: Uint8Array) => gzipSync(gzipSync(d)), 'gzip, gzip'],
  ] as const) {
    for (const inChunks of [false, true])
      test(`an answer in ${name}${inChunks ? ', in chunks' : ''}`, () => {
        const body = encode(latin1(`${'<p>filler</p>'.repeat(30)}uid=0(root) gid=0(root)`));
        const head = inChunks ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`;
        const sent = inChunks ? chunked(body, 9) : body;
        const text = `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: ${token}\r\n${head}\r\n\r\n`;
        const answer = Buffer.concat([latin1(text), sent]);
        assert.deepEqual(alertsOf([...whole(get('/')), ...pieces('S', answer, 17)]), [3]);
      });
  }
});
