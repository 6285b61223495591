import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import {
  createQueueRules,
  findQueueWays,
  inlineOptionsSchema,
  marksFrom,
  NF_ACCEPT,
  NF_DROP,
  openAlive,
  PacketQueue,
  type Alive,
  type Backend,
  type QueuedPacket,
  type QueueRules,
} from '../../../src/inline/index.js';
import { waitFor } from '../../lab/wait.js';
import { CLIENT, openNet, PORT, SERVER, skipReason, type Net } from './net.js';

const OPTIONS = { services: [`udp/${PORT}`, `tcp/${PORT}`], queue: { first: 4000 } };
const open = inlineOptionsSchema.parse(OPTIONS);
const closed = inlineOptionsSchema.parse({ ...OPTIONS, fail: 'closed' });
const marks = marksFrom(open.mark_bit);
/** What this kernel has; some have only one of them. */
const ways = skipReason === false ? await findQueueWays() : { nft: false, iptables: false };

const TCP = { FIN: 1, RST: 4, ACK: 16 } as const;

/** Of a TCP packet over IPv4, as `Listener` has it. */
function tcpOf(text: string): { isReply: boolean; payload: string; flags: number } {
  const packet = Buffer.from(text, 'latin1');
  const at = 4 * (packet[0]! & 15);
  return {
    isReply: packet.readUInt16BE(at) === PORT,
    payload: text.slice(at + 4 * (packet[at + 12]! >> 4)),
    flags: packet[at + 13]!,
  };
}

type Judge = (packet: QueuedPacket, text: string) => { verdict: number; mark?: number };

/** Reads the queue every millisecond and does what `judge` says. */
class Listener {
  readonly seen: string[] = [];
  judge: Judge = () => ({ verdict: NF_ACCEPT });
  readonly queue: PacketQueue;
  private readonly timer: NodeJS.Timeout;

  constructor(netns: string, failOpen: boolean) {
    this.queue = new PacketQueue({
      number: 4000,
      maxPackets: 64,
      copyBytes: 65_535,
      gso: true,
      failOpen,
      socketBufferBytes: 1 << 20,
      netns,
    });
    this.timer = setInterval(() => {
      this.queue.drain((packet) => {
        const text = Buffer.from(packet.data.subarray(packet.offset, packet.offset + packet.length)).toString('latin1');
        this.seen.push(text);
        const { verdict, mark = -1 } = this.judge(packet, text);
        this.queue.verdict(packet.id, verdict, mark);
      });
    }, 1);
  }

  count(word: string): number {
    return this.seen.filter((text) => text.includes(word)).length;
  }

  close(): void {
    clearInterval(this.timer);
    this.queue.close();
  }
}

describe('the packet queue and its rules', { skip: skipReason, timeout: 600_000 }, () => {
  let net: Net;
  let rules: QueueRules;
  let alive: Alive;
  let listener: Listener;
  before(async () => {
    net = await openNet('queue');
    rules = createQueueRules(open, net.router);
    await rules.install([]);
    alive = openAlive(net.router);
    listener = new Listener(net.router, true);
  });
  after(() => {
    listener?.close();
    alive?.close();
    rules?.close();
    net?.close();
  });

  const counted = () => rules.counters() ?? assert.fail('the table is not there');
  const ruleset = (): string =>
    execFileSync('ip', ['netns', 'exec', net.router, 'nft', 'list', 'ruleset'], { encoding: 'utf8', stdio: 'pipe' });

  it('queues nothing while the daemon has shown no life, and all chosen packets of both directions when it has', async () => {
    assert.equal(await net.ask('udp', 'unseen'), 'unseen');
    assert.equal(listener.seen.length, 0);
    assert.equal(alive.renew(60_000), 0);
    assert.equal(await net.ask('udp', 'hello'), 'hello');
    assert.equal(listener.count('hello'), 2);
    assert.equal(await net.ask('udp', 'hello6', { host: SERVER.v6 }), 'hello6');
    assert.equal(listener.count('hello6'), 2);
    assert.ok(counted().unwatched.packets >= 2);
  });

  it('drops what is told to be dropped, and nothing else of the same client', async () => {
    listener.judge = (_, text) => ({ verdict: text.includes('evil') ? NF_DROP : NF_ACCEPT });
    assert.equal(await net.ask('udp', 'evil', { limitMs: 300 }), undefined);
    assert.equal(await net.ask('udp', 'good'), 'good');
    assert.equal(await net.ask('tcp', 'good'), 'good');
    assert.equal(await net.ask('tcp', 'evil', { limitMs: 300, host: SERVER.v6 }), undefined);
    listener.judge = () => ({ verdict: NF_ACCEPT });
    assert.equal(await net.ask('tcp', 'evil'), 'evil', 'the control');
  });

  it('a fragmented datagram comes as one packet, and goes on in fragments', async () => {
    const text = `begin${'x'.repeat(3000)}end`;
    assert.equal(await net.ask('udp', text), text);
    assert.equal(listener.seen.filter((t) => t.includes('begin') && t.includes('end')).length, 2);
  });

  it('the rest of a direction passes without us once a verdict says so, with what acknowledges it; the other direction and the end still come', async () => {
    listener.seen.length = 0;
    let acknowledgements = 0;
    const ends = { client: 0, server: 0 };
    listener.judge = (_, text) => {
      const { isReply, payload, flags } = tcpOf(text);
      if (!isReply && payload === '' && flags === TCP.ACK) acknowledgements++;
      if (flags & (TCP.FIN | TCP.RST)) ends[isReply ? 'server' : 'client']++;
      return { verdict: NF_ACCEPT, mark: isReply ? marks.pass : 0 };
    };
    const before = counted().bypassed;
    const fromMs = performance.now();
    const bytes = 64 << 20;
    assert.equal(await net.pull(bytes, 'the next request', 60_000), 'the next request');
    const secs = (performance.now() - fromMs) / 1000;
    assert.equal(listener.count('the next request'), 1, 'that of the client, not the answer');
    assert.ok(counted().bypassed.bytes - before.bytes >= bytes - (1 << 20));
    // Without the rule some thousand come within a fraction of a second.
    assert.ok(acknowledgements <= 30 + 100 * secs, `${acknowledgements} acknowledgements in ${secs} s`);
    await waitFor('both ends of the connection are seen', () => ends.client > 0 && ends.server > 0);
    listener.judge = () => ({ verdict: NF_ACCEPT });
  });

  it('the kernel drops the rest of a connection that was cut, and a new one is judged', async () => {
    listener.judge = (_, text) =>
      text.includes('attack') ? { verdict: NF_ACCEPT, mark: marks.cut } : { verdict: NF_ACCEPT };
    const before = counted().cut.packets;
    assert.equal(await net.ask('tcp', 'attack', { limitMs: 3000 }), undefined);
    assert.equal(listener.count('attack'), 1, 'retransmissions are not asked about again');
    assert.ok(counted().cut.packets >= before + 2, 'the segment and its retransmission');
    listener.judge = () => ({ verdict: NF_ACCEPT });
    assert.equal(await net.ask('tcp', 'next'), 'next');
  });

  it('exempt addresses never reach the queue', async () => {
    await rules.setExempt([CLIENT.v4, 'fd91:1::/64']);
    listener.seen.length = 0;
    listener.judge = () => ({ verdict: NF_DROP });
    assert.equal(await net.ask('udp', 'mine'), 'mine');
    assert.equal(await net.ask('tcp', 'mine', { host: SERVER.v6 }), 'mine');
    assert.equal(listener.seen.length, 0);
    await rules.setExempt([]);
    assert.equal(await net.ask('udp', 'mine', { limitMs: 300 }), undefined, 'the control');
    listener.judge = () => ({ verdict: NF_ACCEPT });
  });

  it('when the daemon shows no life, traffic flows on within the time that the kernel was told', async () => {
    alive.renew(3000);
    const stopped = listener.judge;
    listener.judge = () => ({ verdict: NF_DROP });
    assert.equal(await net.ask('udp', 'held', { limitMs: 200 }), undefined);
    await waitFor('it flows on', async () => (await net.ask('udp', 'free', { limitMs: 1000 })) === 'free');
    listener.judge = stopped;
    alive.renew(60_000);
  });

  it('without a listener traffic passes when it fails open, and does not when it fails closed', async () => {
    listener.close();
    assert.equal(await net.ask('udp', 'nobody'), 'nobody');
    const strict = createQueueRules(closed, net.router);
    await strict.install([]);
    assert.equal(await net.ask('udp', 'nobody', { limitMs: 300 }), undefined);
    listener = new Listener(net.router, false);
    assert.equal(await net.ask('udp', 'somebody'), 'somebody');
    strict.close();
  });

  it('this kernel has a way to the queue', () => assert.ok(ways.nft || ways.iptables));

  for (const backend of ['nft', 'iptables'] as const)
    it(
      `packets of both IP versions reach the queue by ${backend}, and none when its rules are gone`,
      {
        skip: ways[backend] ? false : `the kernel has no way to the queue by ${backend}`,
      },
      async () => {
        await rules.remove();
        const own = createQueueRules(inlineOptionsSchema.parse({ ...OPTIONS, backend }), net.router);
        assert.equal(await own.install([]), backend);
        alive.renew(60_000);
        listener.seen.length = 0;
        for (const host of [SERVER.v4, SERVER.v6]) assert.equal(await net.ask('udp', backend, { host }), backend);
        assert.equal(listener.count(backend), 4);
        await own.remove();
        assert.equal(await net.ask('udp', backend), backend);
        assert.equal(listener.count(backend), 4);
        own.close();
        await rules.install([]);
      },
    );

  const TAKEN: Record<Backend, Record<string, string[]>> = {
    nft: {
      'the whole ruleset': ['nft', 'flush', 'ruleset'],
      'the rule that queues': ['nft', 'flush', 'chain', 'inet', 'portcullis_inline', 'to_queue'],
      'what the hook does': ['nft', 'flush', 'chain', 'inet', 'portcullis_inline', 'choose_forward'],
    },
    iptables: {
      'the whole ruleset': ['nft', 'flush', 'ruleset'],
      "iptables' mangle table": ['iptables-nft', '-t', 'mangle', '-F'],
      'the jump from the hook': ['ip6tables-nft', '-t', 'mangle', '-F', 'FORWARD'],
      'the rule that queues': ['iptables-nft', '-t', 'mangle', '-F', 'PORTCULLIS_INLINE'],
    },
  };
  for (const backend of (['nft', 'iptables'] as const).filter((way) => ways[way]))
    for (const [what, command] of Object.entries(TAKEN[backend]))
      it(`rules by ${backend} are not all there when somebody takes away ${what}`, async () => {
        const own = createQueueRules(inlineOptionsSchema.parse({ ...OPTIONS, backend }), net.router);
        await own.install([]);
        assert.ok(own.areThere(backend), 'the control');
        execFileSync('ip', ['netns', 'exec', net.router, ...command], { stdio: 'pipe' });
        assert.equal(own.areThere(backend), false);
        await own.install([]);
        assert.ok(own.areThere(backend));
        own.close();
        await rules.install([]);
      });

  it('leaves no rule behind', async () => {
    assert.match(ruleset(), /portcullis_inline/);
    await rules.remove();
    assert.equal(rules.counters(), undefined);
    const left = ruleset();
    assert.doesNotMatch(left, /portcullis_inline/i);
    assert.equal(await net.ask('udp', 'plain'), 'plain');
  });
});
