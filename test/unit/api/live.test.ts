import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { WebSocket } from 'ws';
import { toAlertRow } from '../../../src/api/index.js';
import { LIVE_CLOSE, type LiveServerMessage } from '../../../src/contract/http.js';
import { sampleAlert, sampleDecision } from '../store/samples.js';
import { startHarness, type Harness } from './harness.js';

interface Feed {
  socket: WebSocket;
  messages: LiveServerMessage[];
  closed: Promise<number>;
}

async function until(what: string, condition: () => boolean): Promise<void> {
  const end = Date.now() + 60_000;
  while (!condition()) {
    if (Date.now() > end) assert.fail(`not within 60 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

describe('live feed', () => {
  let h: Harness;
  let token: string;
  /** Opened first and never says who it is. */
  let silent: Feed;
  before(async () => {
    h = await startHarness({ liveHistory: 20, liveBufferBytes: 65_536 });
    await h.addUser('vera', 'viewer');
    token = (await h.login('vera')).token;
    silent = open();
  });
  after(() => h.close());

  function open(path = '/api/v1/live', headers: Record<string, string> = { Origin: h.api.url }): Feed {
    const socket = new WebSocket(h.api.url.replace('http', 'ws') + path, { headers });
    const messages: LiveServerMessage[] = [];
    socket.on('message', (data) => messages.push(JSON.parse((data as Buffer).toString()) as LiveServerMessage));
    const closed = new Promise<number>((resolve) => {
      socket.on('close', resolve);
      socket.on('unexpected-response', (_request, response) => {
        resolve(response.statusCode ?? 0);
        socket.terminate();
      });
      socket.on('error', () => undefined);
    });
    return { socket, messages, closed };
  }

  async function connect(message: object = {}): Promise<Feed> {
    const feed = open();
    feed.socket.on('open', () => {
      feed.socket.send(JSON.stringify({ type: 'auth', token, topics: ['alerts', 'decisions'], ...message }));
    });
    await until('hello', () => feed.messages.length > 0);
    assert.equal(feed.messages[0]?.type, 'hello');
    return feed;
  }

  const publishAlert = (title: string) => {
    const alert = { ...sampleAlert({ title }), response: 'none' as const };
    h.api.live.publish({ topic: 'alerts', data: toAlertRow(alert) }, 'created');
  };

  it('sends the changes of the topics that were asked for, numbered', async () => {
    const feed = await connect({ topics: ['alerts'] });
    publishAlert('one');
    h.api.live.publish({ topic: 'decisions', data: sampleDecision() }, 'created');
    publishAlert('two');
    await until('two alerts', () => feed.messages.length === 3);
    const updates = feed.messages.slice(1) as { seq: number; topic: string; type: string; data: { title: string } }[];
    assert.deepEqual(updates.map((u) => [u.topic, u.type, u.data.title]), [['alerts', 'created', 'one'], ['alerts', 'created', 'two']]); // prettier-ignore
    assert.equal((updates[1]?.seq ?? 0) - (updates[0]?.seq ?? 0), 2);
    feed.socket.close();
  });

  it('gives a client that comes back what it missed, or tells it to load again', async () => {
    const feed = await connect();
    publishAlert('seen');
    await until('update', () => feed.messages.length === 2);
    const { seq } = feed.messages[1] as { seq: number };
    feed.socket.close();
    await feed.closed;
    publishAlert('missed 1');
    publishAlert('missed 2');
    const back = await connect({ since: seq });
    await until('missed updates', () => back.messages.length === 3);
    const titles = back.messages.slice(1).map((m) => (m as { data: { title: string } }).data.title);
    assert.deepEqual(titles, ['missed 1', 'missed 2']);
    back.socket.close();
    for (let i = 0; i < 30; i++) publishAlert(`flood ${i}`);
    for (const since of [seq, 0, seq + 1_000_000_000_000]) {
      const late = await connect({ since });
      await until('resync', () => late.messages.length === 2);
      assert.equal(late.messages[1]?.type, 'resync', String(since));
      late.socket.close();
    }
  });

  it('refuses other sites, no origin, other paths, no token, wrong tokens and unexpected messages', async () => {
    assert.equal(await open('/api/v1/live', { Origin: 'https://evil.example' }).closed, 403);
    assert.equal(await open('/api/v1/live', { Origin: 'null' }).closed, 403);
    assert.equal(await open('/api/v1/live', {}).closed, 403);
    assert.equal(await open('/other').closed, 404);
    const say = async (text: string | Buffer): Promise<number> => {
      const feed = open();
      feed.socket.on('open', () => {
        feed.socket.send(text);
      });
      return feed.closed;
    };
    const auth = { type: 'auth', token, topics: ['alerts'] };
    assert.equal(await say(JSON.stringify({ ...auth, token: 'eyJhbGciOiJub25lIn0.e30.' })), 4401);
    assert.equal(await say(JSON.stringify({ type: 'auth', topics: ['alerts'] })), 4400, 'no token');
    assert.equal(await say(JSON.stringify({ ...auth, token: '' })), 4400);
    assert.equal(await say(JSON.stringify({ ...auth, topics: ['secrets'] })), 4400);
    assert.equal(await say(JSON.stringify({ ...auth, more: 1 })), 4400);
    assert.equal(await say(JSON.stringify({ type: 'renew', token })), 4400);
    assert.equal(await say('not json'), 4400);
    assert.equal(await say(Buffer.from([1, 2, 3])), 4400);
    assert.equal(await say('x'.repeat(20_000)), 1009);
    const twice = await connect();
    twice.socket.send(JSON.stringify(auth));
    assert.equal(await twice.closed, 4400);
  });

  it('closes when the session is revoked or the token ends, and stays when it is renewed', async () => {
    await h.addUser('rita', 'viewer');
    const { token: rita } = await h.login('rita');
    const revoked = await connect({ token: rita });
    const session = (await h.store.sessions.list({ limit: 1 }, h.clock.ms, 'rita')).items[0];
    await h.addUser('root', 'admin');
    const admin = (await h.login('root')).token;
    await h.call('DELETE', `/sessions/${session?.id}`, { token: admin });
    assert.equal(await revoked.closed, 4401);

    const issuedMs = h.clock.ms;
    h.clock.ms += 300_000;
    const fresh = (await h.login('vera')).token;
    h.clock.ms = issuedMs + 590_000;
    const ending = await connect();
    const renewed = await connect();
    renewed.socket.send(JSON.stringify({ type: 'renew', token: fresh }));
    await until('renewed', () => renewed.messages.some((message) => message.type === 'renewed'));
    assert.equal(await ending.closed, 4401, 'its ten minutes are over');
    assert.equal(renewed.socket.readyState, WebSocket.OPEN);
    renewed.socket.close();
    // The first token is about to end.
    token = fresh;
  });

  it('closes at logout, and when the session was ended by a command or another server; others stay', async () => {
    await h.addUser('leo', 'viewer');
    const [left, ended, other] = [await h.login('leo'), await h.login('leo'), await h.login('vera')];
    const [leaving, ending, staying] = [
      await connect({ token: left.token }),
      await connect({ token: ended.token }),
      await connect({ token: other.token }),
    ];
    await h.call('POST', '/auth/logout', { headers: { Cookie: left.cookie } });
    assert.equal(await leaving.closed, 4401);
    assert.equal(ending.socket.readyState, WebSocket.OPEN);
    await h.store.sessions.revokeAll('leo', h.clock.ms);
    await h.api.live.recheck();
    assert.equal(await ending.closed, 4401);
    assert.equal(staying.socket.readyState, WebSocket.OPEN);
    staying.socket.close();
  });

  it('leaves a slow client behind instead of filling memory, and tells it to load again', async () => {
    const slow = await connect();
    const before = h.api.live;
    slow.socket.pause();
    for (let i = 0; i < 20_000; i++) {
      const data = { ...sampleDecision({ reason: 'x'.repeat(400) }) };
      before.publish({ topic: 'decisions', data }, 'updated');
      if (i % 1000 === 0) await new Promise(setImmediate);
    }
    const metrics = (await h.call('GET', '//metrics')).text;
    assert.match(metrics, /^portcullis_live_resyncs [1-9]/m);
    slow.socket.resume();
    await until('resync', () => slow.messages.at(-1)?.type === 'resync');
    assert.ok(slow.messages.length < 19_000, `${slow.messages.length} messages`);
    publishAlert('after');
    await until('next update', () => 'data' in (slow.messages.at(-1) ?? {}));
    slow.socket.close();
  });

  it('carries ten thousand alerts to every client that reads, in order, and holds no more of them afterwards', async () => {
    const readers = [await connect({ topics: ['alerts'] }), await connect({ topics: ['alerts'] })];
    const stuck = await connect({ topics: ['alerts'] });
    stuck.socket.pause();
    const numbers = readers.map(() => [] as number[]);
    for (const [i, { socket }] of readers.entries()) {
      socket.removeAllListeners('message');
      socket.on('message', (data) => {
        const text = (data as Buffer).toString();
        if (text.includes('"type":"created"')) numbers[i]?.push(Number(/"title":"n(\d+)"/.exec(text)?.[1]));
      });
    }
    const count = 10_000;
    for (let n = 0; n < count; n++) {
      publishAlert(`n${n}`);
      // The readers are in this process too: they get their turn.
      if (n % 10 === 9) await until('read so far', () => numbers.every((seen) => seen.length > n));
    }
    await until('all read', () => numbers.every((seen) => seen.length === count));
    for (const seen of numbers)
      assert.ok(
        seen.every((n, i) => n === i),
        'each once and in order',
      );
    const metrics = (await h.call('GET', '//metrics')).text;
    const held = Number(/^portcullis_live_unsent_bytes (\d+)$/m.exec(metrics)?.[1]);
    assert.ok(held <= 2 * 65_536 + 1_000_000, `${held} bytes wait for a client that does not read`);
    stuck.socket.terminate();
    for (const { socket } of readers) socket.close();
  });

  it('closes a connection that does not say who it is, and told it nothing', async () => {
    assert.equal(await silent.closed, LIVE_CLOSE.TIMEOUT);
    assert.deepEqual(silent.messages, []);
  });
});
