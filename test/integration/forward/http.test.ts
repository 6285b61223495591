import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { openForwarder, type Forwarder, type SiemOptionsInput } from '../../../src/forward/index.js';
import { numberedAlert, testDeps, testOptions } from './support/events.js';
import { waitFor } from './support/receivers.js';

type Destination = NonNullable<SiemOptionsInput['destinations']>[number];

interface Request {
  path: string;
  headers: IncomingMessage['headers'];
  body: string;
}
/** Answers one request; returning nothing means that it did so itself. */
type Handler = (
  request: Request,
  response: ServerResponse,
) => { status: number; body?: unknown; headers?: Record<string, string> } | undefined;

/** A server that answers as the product's documentation says, as far as the test's script goes. */
class Contract {
  readonly requests: Request[] = [];
  private readonly server: Server;
  private handler: Handler = () => ({ status: 500 });

  constructor() {
    this.server = createServer((incoming, response) => {
      const parts: Buffer[] = [];
      incoming.on('data', (part: Buffer) => parts.push(part));
      incoming.on('end', () => {
        const raw = Buffer.concat(parts);
        const body = incoming.headers['content-encoding'] === 'gzip' ? gunzipSync(raw).toString() : raw.toString();
        const request = { path: incoming.url ?? '', headers: incoming.headers, body };
        this.requests.push(request);
        const answer = this.handler(request, response);
        if (!answer) return;
        response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
        response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body ?? {}));
      });
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  answer(handler: Handler): void {
    this.handler = handler;
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

let dir = '';
let server: Contract;
let url = '';
let forwarder: Forwarder | undefined;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'portcullis-http-'));
  server = new Contract();
  url = await server.listen();
});
afterEach(async () => {
  await forwarder?.close(0);
  forwarder = undefined;
  server.close();
  rmSync(dir, { recursive: true, force: true });
});

async function start(destination: Destination, count: number): Promise<Forwarder> {
  forwarder = await openForwarder(
    testOptions([{ batch: { linger_secs: 0.05 }, filter: { kinds: ['alert'] }, ...destination }]),
    testDeps(dir),
  );
  for (let n = 0; n < count; n++) forwarder.push(numberedAlert(n));
  return forwarder;
}

async function delivered(f: Forwarder): Promise<void> {
  await waitFor('everything is confirmed', () => f.status()[0]!.backlogEvents === 0);
}

const numbersIn = (text: string): number[] => [...text.matchAll(/#(\d+)#/g)].map((match) => Number(match[1]));

describe('Splunk HTTP Event Collector', () => {
  const hec = (change: Partial<Destination> = {}): Destination => ({
    name: 'a',
    preset: 'splunk-hec',
    url,
    token: 'T0KEN',
    ...change,
  });

  it('sends CIM events with token and channel, and a 200 confirms', async () => {
    server.answer(() => ({ status: 200, body: { text: 'Success', code: 0 } }));
    const f = await start(hec({ index: 'ids' }), 3);
    await delivered(f);
    const request = server.requests[0]!;
    assert.equal(request.path, '/services/collector/event');
    assert.equal(request.headers.authorization, 'Splunk T0KEN');
    assert.match(String(request.headers['x-splunk-request-channel']), /^[0-9a-f-]{36}$/);
    const first = JSON.parse(request.body.split('\n')[0]!) as {
      index: string;
      sourcetype: string;
      event: { signature: string };
    };
    assert.equal(first.index, 'ids');
    assert.equal(first.sourcetype, 'portcullis:event');
    assert.equal(f.status()[0]!.confirmed, 3);
  });

  it('where the token acknowledges, waits until the indexer has it', async () => {
    let polls = 0;
    server.answer((request) => {
      if (!request.path.startsWith('/services/collector/ack'))
        return { status: 200, body: { text: 'Success', code: 0, ackId: 7 } };
      polls++;
      assert.deepEqual(JSON.parse(request.body), { acks: [7] });
      return { status: 200, body: { acks: { '7': polls >= 3 } } };
    });
    const f = await start(hec(), 2);
    await waitFor('the first poll', () => polls >= 1);
    assert.equal(f.status()[0]!.confirmed, 0, 'accepted is not indexed');
    await delivered(f);
    assert.ok(polls >= 3);
  });

  it('sends again when no acknowledgement comes in time', async () => {
    let posts = 0;
    server.answer((request) => {
      if (request.path.startsWith('/services/collector/ack'))
        return { status: 200, body: { acks: { '1': posts > 1 } } };
      posts++;
      return { status: 200, body: { code: 0, ackId: 1 } };
    });
    const f = await start(hec({ ack_timeout_secs: 0.2 }), 2);
    await delivered(f);
    assert.ok(posts >= 2);
    assert.ok(f.status()[0]!.resent >= 2);
  });

  it('is misconfigured with an invalid token, and loses nothing', async () => {
    server.answer(() => ({ status: 403, body: { text: 'Invalid token', code: 4 } }));
    const f = await start(hec(), 2);
    await waitFor('misconfigured', () => f.status()[0]!.state === 'misconfigured');
    assert.match(f.status()[0]!.lastError, /Invalid token/);
    server.answer(() => ({ status: 200, body: { code: 0 } }));
    await f.reconfigure(testOptions([hec({ token: 'RIGHT', batch: { linger_secs: 0 } })]));
    await delivered(f);
    assert.deepEqual(numbersIn(server.requests.at(-1)!.body).sort(), [0, 1]);
  });

  it('puts the one bad event of code 6 aside and delivers the others', async () => {
    server.answer((request) =>
      numbersIn(request.body).includes(1)
        ? {
            status: 400,
            body: { text: 'Invalid data format', code: 6, 'invalid-event-number': numbersIn(request.body).indexOf(1) },
          }
        : { status: 200, body: { code: 0 } },
    );
    const f = await start(hec(), 4);
    await delivered(f);
    assert.equal(f.status()[0]!.dead, 1);
    assert.match(readFileSync(join(dir, 'spool/dead/a.jsonl'), 'utf8'), /#1#/);
    assert.deepEqual(numbersIn(server.requests.at(-1)!.body), [0, 2, 3]);
  });

  it('waits and tries again when the server is busy (503)', async () => {
    server.answer(() =>
      server.requests.length < 3
        ? { status: 503, body: { text: 'Server is busy', code: 9 } }
        : { status: 200, body: { code: 0 } },
    );
    const f = await start(hec(), 2);
    await delivered(f);
    assert.ok(server.requests.length >= 3);
  });
});

describe('A Splunk HTTP Event Collector behind something that lies', () => {
  const hec: Destination = { name: 'a', preset: 'splunk-hec', url, token: 'T0KEN-of-the-box' };

  for (const [what, body] of [
    ['a page of a proxy', '<html>Sign in</html>'],
    ['a refusal made a success', { text: 'Server is busy', code: 9 }],
  ] as const) {
    it(`does not believe a 200 that is ${what}`, async () => {
      server.answer(() => ({ status: 200, body: server.requests.length === 1 ? body : { text: 'Success', code: 0 } }));
      const f = await start({ ...hec, url }, 2);
      await delivered(f);
      assert.equal(server.requests.length, 2);
      assert.deepEqual(numbersIn(server.requests[1]!.body), [0, 1]);
      assert.equal(f.status()[0]!.resent, 2);
    });
  }

  it('believes the plain OK of other receivers of HEC', async () => {
    server.answer(() => ({ status: 200, body: '"OK"' }));
    const f = await start({ ...hec, url }, 1);
    await delivered(f);
    assert.equal(server.requests.length, 1);
  });

  it('shows its token to nobody when the receiver says it back', async () => {
    server.answer(({ headers }) => ({ status: 401, body: `refused: ${String(headers.authorization)}` }));
    const f = await start({ ...hec, url }, 1);
    await waitFor('misconfigured', () => f.status()[0]!.state === 'misconfigured');
    assert.match(f.status()[0]!.lastError, /refused: Splunk \*\*\*/);
  });
});

describe('Elasticsearch and OpenSearch _bulk', () => {
  const elastic = (change: Partial<Destination> = {}): Destination => ({
    name: 'a',
    preset: 'elastic',
    url,
    token: 'key',
    ...change,
  });

  /** Reads the body strictly: NDJSON, action line and document in turn, a line feed at the end. */
  function documents(request: Request): { id: string; index: string; doc: Record<string, unknown> }[] {
    assert.equal(request.headers['content-type'], 'application/x-ndjson');
    assert.ok(request.body.endsWith('\n'));
    const lines = request.body.slice(0, -1).split('\n');
    assert.equal(lines.length % 2, 0);
    const out = [];
    for (let i = 0; i < lines.length; i += 2) {
      const action = JSON.parse(lines[i]!) as { create: { _index: string; _id: string } };
      out.push({
        id: action.create._id,
        index: action.create._index,
        doc: JSON.parse(lines[i + 1]!) as Record<string, unknown>,
      });
    }
    return out;
  }

  const items = (request: Request, status: (id: string, i: number) => number): { status: number; body: unknown } => {
    const list = documents(request).map(({ id }, i) => {
      const code = status(id, i);
      return {
        create: {
          _id: id,
          status: code,
          ...(code < 300 ? {} : { error: { type: 'some_exception', reason: 'because' } }),
        },
      };
    });
    return { status: 200, body: { took: 1, errors: list.some((item) => item.create.status >= 300), items: list } };
  };

  it('creates documents by event id in the data stream', async () => {
    server.answer((request) => items(request, () => 201));
    const f = await start(elastic(), 3);
    await delivered(f);
    const [first] = documents(server.requests[0]!);
    assert.equal(server.requests[0]!.path, '/_bulk');
    assert.equal(server.requests[0]!.headers.authorization, 'ApiKey key');
    assert.equal(first!.index, 'logs-portcullis.event-default');
    assert.equal((first!.doc['event'] as { id: string }).id, first!.id);
  });

  it('sends single refused items (429) again and no others', async () => {
    server.answer((request) => items(request, (_id, i) => (server.requests.length === 1 && i > 0 ? 429 : 201)));
    const f = await start(elastic(), 3);
    await delivered(f);
    assert.equal(documents(server.requests[0]!).length, 3);
    assert.equal(documents(server.requests[1]!).length, 2);
    assert.equal(f.status()[0]!.dead, 0);
  });

  it('takes 409 for delivered and puts a mapping error (400) aside', async () => {
    server.answer((request) => items(request, (_id, i) => [409, 400, 201][i] ?? 201));
    const f = await start(elastic(), 3);
    await delivered(f);
    assert.equal(server.requests.length, 1);
    assert.equal(f.status()[0]!.dead, 1);
    assert.equal(f.status()[0]!.confirmed, 2);
  });

  it('honours a whole 429 with Retry-After', async () => {
    const times: number[] = [];
    server.answer((request) => {
      times.push(performance.now());
      return times.length === 1 ? { status: 429, headers: { 'retry-after': '1' } } : items(request, () => 201);
    });
    const f = await start(elastic(), 2);
    await delivered(f);
    assert.ok(times[1]! - times[0]! >= 990, `waited ${times[1]! - times[0]!} ms`);
  });

  it('halves a request that is too large (413) until it fits', async () => {
    server.answer((request) =>
      documents(request).length > 2 ? { status: 413, body: 'too large' } : items(request, () => 201),
    );
    const f = await start(elastic(), 8);
    await delivered(f);
    const arrived = server.requests
      .filter((request) => documents(request).length <= 2)
      .flatMap((request) => numbersIn(request.body));
    assert.deepEqual(
      [...new Set(arrived)].sort((a, b) => a - b),
      [0, 1, 2, 3, 4, 5, 6, 7],
    );
  });

  it('sends again with the same ids when the connection is cut after the documents were accepted', async () => {
    const stored = new Set<string>();
    server.answer((request, response) => {
      const again = stored.size > 0;
      const answer = items(request, (id) => (stored.has(id) ? 409 : 201));
      for (const { id } of documents(request)) stored.add(id);
      if (again) return answer;
      response.socket?.destroy();
      return undefined;
    });
    const f = await start(elastic(), 5);
    await delivered(f);
    assert.equal(stored.size, 5, 'each document once');
    assert.equal(f.status()[0]!.dead, 0);
  });

  it('does not believe a 200 that is no _bulk answer', async () => {
    server.answer((request) =>
      server.requests.length === 1 ? { status: 200, body: '<html>proxy</html>' } : items(request, () => 201),
    );
    const f = await start(elastic(), 1);
    await delivered(f);
    assert.equal(server.requests.length, 2);
  });
});

describe('OTLP over HTTP', () => {
  it('does not believe a 200 that is no answer of OTLP', async () => {
    server.answer(() => ({ status: 200, body: server.requests.length === 1 ? '<html>Sign in</html>' : {} }));
    const f = await start({ name: 'a', preset: 'otlp', url }, 1);
    await delivered(f);
    assert.equal(server.requests.length, 2);
  });

  it('wraps log records with resource and scope, and reads a partial success', async () => {
    server.answer(() =>
      server.requests.length === 1
        ? { status: 200, body: { partialSuccess: { rejectedLogRecords: '1', errorMessage: 'too old' } } }
        : { status: 200 },
    );
    const f = await start({ name: 'a', preset: 'otlp', url }, 2);
    await delivered(f);
    const body = JSON.parse(server.requests[0]!.body) as { resourceLogs: { scopeLogs: { logRecords: unknown[] }[] }[] };
    assert.equal(server.requests[0]!.path, '/v1/logs');
    assert.equal(body.resourceLogs[0]!.scopeLogs[0]!.logRecords.length, 2);
    assert.equal(f.status()[0]!.dead, 2);
    assert.match(
      readFileSync(join(dir, 'spool/dead/a.jsonl'), 'utf8'),
      /1 of 2 records of this batch refused: too old/,
    );
  });

  it('waits as long as a 429 says, tries again after 503 and after a cut connection, and loses nothing', async () => {
    const times: number[] = [];
    server.answer((_request, response) => {
      times.push(performance.now());
      if (times.length === 1) return { status: 429, headers: { 'retry-after': '1' } };
      if (times.length === 2) return { status: 503, body: { code: 14, message: 'unavailable' } };
      if (times.length === 3) {
        response.socket?.destroy();
        return undefined;
      }
      return { status: 200 };
    });
    const f = await start({ name: 'a', preset: 'otlp', url }, 3);
    await delivered(f);
    assert.ok(times[1]! - times[0]! >= 990, `waited ${times[1]! - times[0]!} ms`);
    assert.deepEqual([...new Set(numbersIn(server.requests.at(-1)!.body))].sort(), [0, 1, 2]);
    assert.deepEqual([f.status()[0]!.dead, f.status()[0]!.dropped], [0, 0]);
  });

  it('is misconfigured by a refused token (401), and a right one delivers', async () => {
    server.answer((request) => ({ status: request.headers['authorization'] === 'Bearer right' ? 200 : 401 }));
    const f = await start({ name: 'a', preset: 'otlp', url, token: 'wrong' }, 2);
    await waitFor('misconfigured', () => f.status()[0]!.state === 'misconfigured');
    await f.reconfigure(testOptions([{ name: 'a', preset: 'otlp', url, token: 'right' }]));
    await delivered(f);
    assert.equal(f.status()[0]!.dropped, 0);
  });
});

describe('webhook', () => {
  it('signs the body with the time, so that a receiver can check both', async () => {
    server.answer(() => ({ status: 204 }));
    const f = await start({ name: 'a', preset: 'webhook', url, token: 's3cret' }, 2);
    await delivered(f);
    const { headers, body } = server.requests[0]!;
    const [, time, signature] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['x-portcullis-signature']))!;
    assert.equal(signature, createHmac('sha256', 's3cret').update(`${time}.${body}`).digest('hex'));
    assert.notEqual(signature, createHmac('sha256', 'other').update(`${time}.${body}`).digest('hex'));
    assert.equal((JSON.parse(body) as { events: unknown[] }).events.length, 2);
  });

  it('is misconfigured by a redirect and never follows it', async () => {
    server.answer(() => ({ status: 302, headers: { location: 'http://192.0.2.1/' } }));
    const f = await start({ name: 'a', preset: 'webhook', url }, 1);
    await waitFor('misconfigured', () => f.status()[0]!.state === 'misconfigured');
    assert.equal(server.requests.length, 1);
  });
});
