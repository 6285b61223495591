import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { fc } from '../../support/fuzz.js';
import { PROGRESS_DONE } from '../../../src/domain/app-layer.js';
import { createAppLayer } from '../../../src/applayer/index.js';
import { bytes, field, play, type Message } from './bench.js';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const BODY = 'what the client shows: '.repeat(20);

function respond(head: string, body: string | Uint8Array, status = 'HTTP/1.1 200 OK'): Message[] {
  return [
    [0, GET],
    [1, Buffer.concat([bytes(`${status}\r\n${head}\r\n\r\n`), bytes(body)])],
  ];
}

function chunked(data: Uint8Array, size: number): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < data.length; at += size) {
    const piece = data.subarray(at, at + size);
    parts.push(bytes(`${piece.length.toString(16)}\r\n`), piece, bytes('\r\n'));
  }
  return Buffer.concat([...parts, bytes('0\r\n\r\n')]);
}

function shown(messages: readonly Message[], cut?: number): string | undefined {
  const flow = play(messages, cut === undefined ? {} : { cut });
  return field(flow.transactions[0], 'file.data', 1) as string | undefined;
}

describe('a line before the status line', () => {
  const answer = (before: string): Message[] => [
    [0, GET],
    [1, `${before}\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok`],
  ];
  it('is left out', () => assert.equal(shown(answer(' SIP/2.0 200 ok')), 'ok'));
  it('is of the body when something else follows', () => assert.equal(shown(answer('one\r\ntwo')), 'one\r\nok'));
});

describe('headers of an answer', () => {
  const HEAD = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: 1';
  it('are not all there when the connection ends within them', () => {
    const tx = play([[0, GET], [1, HEAD]]).transactions[0]; // prettier-ignore
    assert.deepEqual(['http.header', 'http.header_names', 'http.content_len'].map((name) => field(tx, name, 1)), [undefined, undefined, '2']); // prettier-ignore
  });
  it('end with LF CR LF CR, and so does a line with LF CR', () =>
    assert.equal(shown([[0, GET], [1, `${HEAD.replaceAll('\r\n', '\n\r')}\r\n\n\r\nok`]]), 'ok')); // prettier-ignore
});

describe('HTTP/1 requests', () => {
  const request =
    'POST http://Shop.Example:8080/a/./b/../%63//d%20e?q=%3Cscript%3E+x#f HTTP/1.1\r\n' +
    'Host: shop.example:8080\r\nUser-Agent: curl/8\r\nCookie: s=1\r\nX: 1\r\n 2\r\nX: 3\r\n' +
    'Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello';
  const tx = play([[0, request]]).transactions[0];
  const expected: [string, string][] = [
    ['http.method', 'POST'],
    ['http.uri', '/a/c/d e?q=<script>+x#f'],
    ['http.uri.raw', 'http://Shop.Example:8080/a/./b/../%63//d%20e?q=%3Cscript%3E+x#f'],
    ['http.host', 'shop.example'],
    ['http.host.raw', 'shop.example:8080'],
    ['http.protocol', 'HTTP/1.1'],
    ['http.user_agent', 'curl/8'],
    ['http.cookie', 's=1'],
    ['http.content_len', '5'],
    ['http.content_type', 'text/plain'],
    ['http.request_body', 'hello'],
    ['http.header_names', '\r\nHost\r\nUser-Agent\r\nCookie\r\nX\r\nContent-Type\r\nContent-Length\r\n\r\n'],
    [
      'http.header',
      'Host: shop.example:8080\r\nUser-Agent: curl/8\r\nX: 1 2, 3\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n',
    ],
  ];
  for (const [name, value] of expected) it(`shows ${name}`, () => assert.equal(field(tx, name), value));

  const URIS: [string, string][] = [
    ['/..%2f..%2fetc/passwd', '/etc/passwd'],
    ['/a%u002fb', '/a/b'],
    ['/a\\b\\..\\c', '/a/c'],
    ['/a%zz', '/a%zz'],
    ['/a%2', '/a%2'],
    ['/x?y=%252e', '/x?y=%2e'],
    ['/a/../../../b', '/b'],
    ['*', '*'],
  ];
  for (const [raw, normalized] of URIS) {
    it(`normalises ${raw}`, () => {
      assert.equal(field(play([[0, `GET ${raw} HTTP/1.1\r\n\r\n`]]).transactions[0], 'http.uri'), normalized);
    });
  }

  it('reads an overlong slash as the slash that servers take it for', () => {
    const tx = play([[0, 'GET /a/%c0%afb HTTP/1.1\r\n\r\n']]).transactions[0];
    assert.equal(field(tx, 'http.uri'), '/a//b');
  });

  it('keeps pipelined requests apart and gives each its answer', () => {
    const flow = play([
      [0, 'GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n'],
      [1, 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\noneHTTP/1.1 404 No\r\nContent-Length: 3\r\n\r\ntwo'],
    ]);
    assert.deepEqual(
      flow.transactions.map((t) => [field(t, 'http.uri'), field(t, 'http.stat_code', 1), field(t, 'file.data', 1)]),
      [
        ['/1', '200', 'one'],
        ['/2', '404', 'two'],
      ],
    );
    flow.release(flow.transactions[0]!);
    assert.equal(flow.transactions.length, 1);
  });

  it('reads a chunked request body', () => {
    const tx = play([[0, 'PUT /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n']])
      .transactions[0];
    assert.equal(field(tx, 'http.request_body'), 'abcde');
    assert.equal(tx?.progress[0], PROGRESS_DONE);
  });

  it('finds the files in a form', () => {
    const form =
      '--B\r\nContent-Disposition: form-data; name="a"\r\n\r\nnot this\r\n' +
      '--B\r\nContent-Disposition: form-data; name="f"; filename="up.php"\r\n\r\n<?php x ?>\r\n--B--\r\n';
    const head = `POST /u HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=B\r\nContent-Length: ${form.length}\r\n\r\n`;
    for (const cut of [1, 7, 1000]) {
      const tx = play([[0, head + form]], { cut }).transactions[0];
      assert.equal(field(tx, 'file.data'), '<?php x ?>');
      assert.equal(field(tx, 'file.name'), 'up.php');
    }
  });
});

describe('HTTP/1 responses', () => {
  const zipped = gzipSync(BODY);
  const named = Buffer.concat([
    zipped.subarray(0, 3),
    bytes('\x08'),
    zipped.subarray(4, 10),
    bytes('f\0'),
    zipped.subarray(10),
  ]);
  const wrongSum = Buffer.from(zipped);
  wrongSum[wrongSum.length - 6]! ^= 0xff;
  const CASES: [string, string, string | Uint8Array][] = [
    ['a length', `Content-Length: ${BODY.length}`, BODY],
    ['no length', 'X: y', BODY],
    ['chunks', 'Transfer-Encoding: chunked', chunked(bytes(BODY), 7)],
    ['chunks in another case with junk', 'Transfer-Encoding: xchUNKed', chunked(bytes(BODY), 100)],
    ['chunks and a wrong length', 'Transfer-Encoding: chunked\r\nContent-Length: 3', chunked(bytes(BODY), 50)],
    ['a folded field', 'Transfer-Encoding:\r\n chunked', chunked(bytes(BODY), 50)],
    ['a space behind the name', 'Transfer-Encoding : chunked', chunked(bytes(BODY), 50)],
    ['CR as line end', 'X: y\rTransfer-Encoding: chunked', chunked(bytes(BODY), 50)],
    ['gzip', `Content-Encoding: gzip\r\nContent-Length: ${zipped.length}`, zipped],
    ['gzip in chunks', 'Content-Encoding: gzip\r\nTransfer-Encoding: chunked', chunked(zipped, 5)],
    ['gzip with a file name', 'Content-Encoding: gzip', named],
    ['gzip with a wrong checksum', 'Content-Encoding: gzip', wrongSum],
    ['raw deflate', 'Content-Encoding: deflate', deflateRawSync(BODY)],
    ['deflate with a zlib header', 'Content-Encoding: deflate', deflateSync(BODY)],
    ['deflate called gzip', 'Content-Encoding: gzip', deflateRawSync(BODY)],
    ['gzip called deflate', 'Content-Encoding: deflate', zipped],
    ['gzip that is none', 'Content-Encoding: gzip', BODY],
    ['gzip twice', 'Content-Encoding: gzip, gzip', gzipSync(zipped)],
    ['deflate, then gzip', 'Content-Encoding: gzip\r\nContent-Encoding: deflate', gzipSync(deflateRawSync(BODY))],
    ['a chunk size that is none', 'Transfer-Encoding: chunked', BODY],
  ];
  for (const [name, head, body] of CASES) {
    it(`shows a body with ${name}, however it is cut`, () => {
      for (const cut of [100_000, 33, 1]) assert.equal(shown(respond(head, body), cut), BODY, `cut ${cut}`);
    });
  }

  it('shows what a broken gzip body gives before it breaks', () => {
    const text = shown(respond('Content-Encoding: gzip', zipped.subarray(0, zipped.length - 12)));
    assert.ok(text !== undefined && text.length > 0 && BODY.startsWith(text));
  });

  it('decodes what zlib compresses, at every level and size', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 3000 }),
        fc.nat(9),
        fc.integer({ min: 1, max: 500 }),
        (data, level, cut) => {
          const wanted = Buffer.concat([Buffer.from('x'), data, data]).toString('latin1');
          const messages = respond('Content-Encoding: gzip', gzipSync(Buffer.from(wanted, 'latin1'), { level }));
          assert.equal(shown(messages, cut), wanted);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('stops at the limit of a body that expands without end', () => {
    const bomb = gzipSync(Buffer.alloc(20_000_000, 97));
    const began = process.hrtime.bigint();
    const flow = play(respond('Content-Encoding: gzip', bomb), { options: { httpResponseBodyKiB: 64 }, cut: 512 });
    assert.equal((field(flow.transactions[0], 'file.data', 1) as string).length, 65_536);
    assert.ok(process.hrtime.bigint() - began < 60_000_000_000n);
  });

  it('goes on after 100 Continue', () => {
    const flow = play([
      [0, GET],
      [1, 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'],
    ]);
    assert.equal(flow.transactions.length, 1);
    assert.equal(field(flow.transactions[0], 'http.stat_code', 1), '200');
    assert.equal(field(flow.transactions[0], 'file.data', 1), 'ok');
  });

  it('has no body after HEAD, and after CONNECT what is in the tunnel is looked at anew', () => {
    const head = play([
      [0, 'HEAD / HTTP/1.1\r\n\r\nGET /n HTTP/1.1\r\n\r\n'],
      [1, 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nHTTP/1.1 204 No\r\n\r\n'],
    ]);
    assert.deepEqual(
      head.transactions.map((t) => field(t, 'http.stat_code', 1)),
      ['200', '204'],
    );
    const tunnel = play([
      [0, 'CONNECT a:443 HTTP/1.1\r\n\r\n'],
      [1, 'HTTP/1.1 200 OK\r\n\r\n'],
      [0, 'GET /hidden HTTP/1.1\r\n\r\n'],
    ]);
    assert.deepEqual(
      tunnel.transactions.map((t) => field(t, 'http.uri', 0)),
      ['a:443', '/hidden'],
    );
    const refused = play([
      [0, 'CONNECT a:443 HTTP/1.1\r\n\r\n'],
      [1, 'HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n'],
      [0, 'GET /next HTTP/1.1\r\n\r\n'],
    ]);
    assert.equal(refused.transactions.length, 2);
  });

  it('shows an answer to HTTP/0.9 and one that is no response at all', () => {
    assert.equal(
      shown([
        [0, 'GET /\r\n'],
        [1, 'plain'],
      ]),
      'plain',
    );
    assert.equal(
      shown([
        [0, GET],
        [1, '<html>\nx'],
      ]),
      '<html>\nx',
    );
  });

  it('knows the server when the response is the first that is seen', () => {
    const flow = play([[0, 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok']]);
    assert.equal(flow.isReversed, true);
    assert.equal(field(flow.transactions[0], 'file.data', 1), 'ok');
  });

  it('goes on after bytes of a body were lost', () => {
    const flow = createAppLayer().createFlow('tcp', { srcPort: 40_000, dstPort: 80 });
    const feed = (direction: 0 | 1, text: string): void => {
      flow.onData(direction, bytes(text), 0, text.length, 0, 1e15);
    };
    feed(0, GET + GET);
    feed(1, 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc');
    flow.onGap(1, 4, 3, 1e15);
    feed(1, 'hij');
    feed(1, 'HTTP/1.1 404 No\r\nContent-Length: 1\r\n\r\nx');
    assert.deepEqual(
      flow.transactions.map((t) => [field(t, 'http.stat_code', 1), field(t, 'file.data', 1)]),
      [
        ['200', 'abchij'],
        ['404', 'x'],
      ],
    );
  });
});

describe('HTTP/1 with hostile bytes', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      'GET / HTTP/1.1\r\n',
      'HTTP/1.1 200 OK\r\n',
      '\r\n',
      '\n',
      '\r',
      ' ',
      ':',
      '5\r\nabcde\r\n',
      '0\r\n\r\n',
    ),
    fc.constantFrom(
      'Content-Length: 4\r\n',
      'Transfer-Encoding: chunked\r\n',
      'Content-Encoding: gzip\r\n',
      'Content-Encoding: deflate, gzip\r\n',
    ),
    fc.string({ unit: 'binary-ascii', maxLength: 12 }),
  );
  it('never throws and keeps what it keeps within bounds', () => {
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 40 }),
        fc.array(piece, { maxLength: 40 }),
        fc.integer({ min: 1, max: 50 }),
        (a, b, cut) => {
          const flow = play(
            [
              [0, GET + a.join('')],
              [1, `HTTP/1.1 200 OK\r\n${b.join('')}`],
            ],
            { cut, options: { maxTransactions: 4 } },
          );
          assert.ok(flow.transactions.length <= 4);
          for (const t of flow.transactions) assert.deepEqual([...t.progress], [PROGRESS_DONE, PROGRESS_DONE]);
        },
      ),
      { numRuns: 150 },
    );
  });
});

describe('a connection whose answers are no longer looked at', () => {
  it('counts them as over, so that requests do not pile up', () => {
    const flow = createAppLayer({ maxTransactions: 8 }).createFlow('tcp', { srcPort: 40_000, dstPort: 80 });
    const feed = (direction: 0 | 1, text: string): void => {
      const data = bytes(text);
      flow.onData(direction, data, 0, data.length, 0, 0);
    };
    feed(0, 'GET /1 HTTP/1.1\r\nHost: a\r\n\r\n');
    feed(1, 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe');
    flow.onEnd(1, 0);
    feed(0, 'GET /2 HTTP/1.1\r\nHost: a\r\n\r\n');
    assert.deepEqual(
      flow.transactions.map((tx) => tx.progress[1]),
      [PROGRESS_DONE, PROGRESS_DONE],
    );
  });
});
