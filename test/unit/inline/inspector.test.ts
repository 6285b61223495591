import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadRules, SignatureEngine, signatureOptionsSchema } from '../../../src/detect/signature/index.js';
import { DropBook } from '../../../src/daemons/inline/drop-book.js';
import { Inspector } from '../../../src/daemons/inline/inspector.js';
import type { InspectorDeps } from '../../../src/daemons/inline/inspector-deps.js';
import { InlineJudge } from '../../../src/daemons/inline/judge.js';
import { RecentBlocks } from '../../../src/daemons/inline/recent-blocks.js';
import { rehearse } from '../../../src/daemons/inline/rehearsal.js';
import { observeSignatures } from '../../../src/daemons/signature-observer.js';
import { inlineOptionsSchema, marksFrom, NF_ACCEPT, NF_DROP, QueuedPacket } from '../../../src/inline/index.js';
import { parsePolicy, type Policy } from '../../../src/policy/index.js';
import { segment, type Segment } from './segments.js';
import { Victim } from './victim.js';

const RULES = `
alert http any any -> any any (msg:"evil uri"; flow:established,to_server; http.uri; content:"evil"; sid:1; rev:1;)
reject udp any any -> any 53 (msg:"evil datagram"; content:"evil"; sid:2; rev:1;)
alert tcp any any -> any any (msg:"limited"; flow:established,to_server; content:"seldom"; threshold:type limit, track by_src, count 1, seconds 60; sid:3; rev:1;)
alert tcp any any -> any any (msg:"quiet"; flow:established,to_server; content:"nothing"; noalert; sid:4; rev:1;)
drop tcp any any -> any any (msg:"stream"; flow:established,to_server; content:"attack-in-stream"; sid:5; rev:1;)
`;
const MARKS = marksFrom(27);

function policy(text: string): Policy {
  const parsed = parsePolicy(`format: 1\nname: p\ndescription: d\noutcome: monitor\n${text}\n`, 'p.yaml');
  assert.ok(parsed.ok);
  return { ...parsed.policy, version: 1, source: 'p.yaml' };
}

/** What the kernel is told about a packet. */
type Verdict = { verdict: number; mark: number };

function bench(options: Record<string, unknown> = {}, inline = 'inline: { verdict: drop }') {
  const verdicts = new Map<number, Verdict>();
  const resets: Buffer[] = [];
  const detections: string[] = [];
  const judge = new InlineJudge([]);
  judge.mode = 'enforce';
  judge.setPolicies([policy(inline)]);
  const drops = new DropBook();
  const blocks = new RecentBlocks();
  let held = 0;
  const deps: InspectorDeps = {
    sink: {
      verdict: (id, verdict, mark) => void verdicts.set(id, { verdict, mark }),
      hold: () => void held++,
      released: () => void held--,
    },
    marks: MARKS,
    judge,
    drops,
    raw: { send: (packet) => (resets.push(Buffer.from(packet)), 0), close: () => undefined },
    isBlocked: (p) => blocks.has(p),
    emit: (d) => void detections.push(d.title),
  };
  const inspector = new Inspector(inlineOptionsSchema.parse(options), {}, deps);
  const loaded = loadRules([{ file: 'test.rules', text: RULES }], {});
  assert.deepEqual(loaded.problems, []);
  const engine = new SignatureEngine(loaded.rules, signatureOptionsSchema.parse({}), {
    sensor: 's',
    emit: (d) => inspector.onDetection(d, false),
    emitQuietly: (d) => inspector.onDetection(d, true),
  });
  inspector.attach(observeSignatures(engine, { stream: { inspect: 'arrival', midstream: true } }));
  const q = new QueuedPacket();
  /** As the queue's: overwritten by every packet. */
  const memory = Buffer.alloc(65_536);
  let id = 0;
  /** @returns the packet's id. */
  function push(packet: Uint8Array, { handedOver = packet.length, isUnverified = false } = {}): number {
    q.id = ++id;
    memory.set(packet, 100);
    q.data = memory;
    q.offset = 100;
    q.length = handedOver;
    q.fullLength = packet.length;
    q.isUnverified = isUnverified;
    inspector.onQueued(q);
    return id;
  }
  return { push, verdicts, resets, detections, drops, inspector, judge, deps, blocks, held: () => held };
}

const accepted = (v: Verdict | undefined): boolean =>
  v?.verdict === NF_ACCEPT && (v.mark < 0 || (v.mark & MARKS.cut) === 0);
const cut = (v: Verdict | undefined): boolean => v?.verdict === NF_ACCEPT && v.mark >= 0 && (v.mark & MARKS.cut) !== 0;

/** A connection of a client to a server: sequence numbers are counted from the first byte. */
function connection(b: ReturnType<typeof bench>, more: Partial<Segment> = {}) {
  const client = { srcPort: 40_000, dstPort: 80, ...more };
  const back = { srcPort: client.dstPort, dstPort: client.srcPort, isReply: true, version: more.version };
  b.push(segment({ ...client, seq: 999, flags: 'S' }));
  b.push(segment({ ...back, seq: 4999, ack: 1000, flags: 'SA' }));
  b.push(segment({ ...client, seq: 1000, ack: 5000, flags: 'A' }));
  return {
    send: (at: number, text: string, extra: Partial<Segment> = {}) =>
      b.push(segment({ ...client, seq: 1000 + at, ack: 5000, flags: 'PA', text, ...extra })),
    answer: (at: number, text: string, extra: Partial<Segment> = {}) =>
      b.push(segment({ ...back, seq: 5000 + at, ack: 1000, flags: 'PA', text, ...extra })),
  };
}

const EVIL = 'GET /evil HTTP/1.1\r\nHost: x\r\n\r\n';

describe('the inspector', () => {
  for (const version of [4, 6] as const) {
    it(`cuts the connection of a request that a rule matches and resets the victim exactly, IPv${version}`, () => {
      const b = bench();
      const c = connection(b, { version });
      const id = c.send(0, EVIL);
      assert.ok(cut(b.verdicts.get(id)));
      assert.deepEqual(b.detections, ['evil uri']);
      assert.equal(b.resets.length, 1);
      const tcpAt = version === 4 ? 20 : 40;
      assert.equal(b.resets[0]!.readUInt32BE(tcpAt + 4), 1000, 'where the server expects the next byte');
      assert.equal(b.resets[0]![tcpAt + 13], 4);
      assert.ok(cut(b.verdicts.get(c.send(0, EVIL))), 'so is what is sent again');
      assert.ok(cut(b.verdicts.get(c.answer(0, 'late'))));
      const [drop] = b.drops.take();
      assert.equal(drop?.title, 'evil uri');
      assert.equal(drop?.packets, 2);
    });
  }

  it('of a request in tiny segments, in order, backwards or each twice, the victim never has a whole line', () => {
    const sizes = [1, 2, 3, 7];
    for (const size of sizes)
      for (const order of ['forward', 'backward', 'twice'] as const) {
        const b = bench();
        const c = connection(b);
        const starts = Array.from({ length: Math.ceil(EVIL.length / size) }, (_, i) => i * size);
        if (order === 'backward') starts.reverse();
        const sent = starts.flatMap((at) => {
          const part = EVIL.slice(at, at + size);
          const ids = order === 'twice' ? [c.send(at, part), c.send(at, part)] : [c.send(at, part)];
          b.inspector.releaseOverdue(performance.now() + 1000);
          return ids.map((id) => ({ at, part, id }));
        });
        const victim = new Victim(0);
        for (const { at, part, id } of sent) if (accepted(b.verdicts.get(id))) victim.receive(at, { text: part });
        assert.ok(!victim.text.includes('\r\n'), `${size} ${order}: ${JSON.stringify(victim.text)}`);
        assert.equal(b.detections.length, 1, `${size} ${order}`);
        if (order !== 'backward') assert.match(victim.text, /^GET/, 'the control: pieces do pass');
      }
  });

  it('segments that are ahead wait, and go in order with the missing one', () => {
    const b = bench();
    const c = connection(b);
    const second = c.send(4, 'world');
    assert.equal(b.verdicts.get(second), undefined);
    assert.equal(b.held(), 1);
    const first = c.send(0, 'hell');
    assert.ok(accepted(b.verdicts.get(first)) && accepted(b.verdicts.get(second)));
    assert.equal(b.held(), 0);
  });

  it('a hit that the missing segment completes drops it and what waited', () => {
    const b = bench();
    const c = connection(b);
    const late = c.send(7, EVIL.slice(7));
    const first = c.send(0, EVIL.slice(0, 7));
    assert.equal(b.verdicts.get(late)?.verdict, NF_DROP);
    assert.ok(cut(b.verdicts.get(first)));
    assert.equal(b.resets[0]!.readUInt32BE(24), 1000, 'nothing has reached the server');
  });

  it('what was let go after its time still counts: the missing segment does not pass', () => {
    const b = bench();
    const c = connection(b);
    const late = c.send(7, EVIL.slice(7));
    b.inspector.releaseOverdue(performance.now() + 1000);
    assert.ok(accepted(b.verdicts.get(late)));
    assert.ok(cut(b.verdicts.get(c.send(0, EVIL.slice(0, 7)))));
  });

  it('the same with timestamps, when the missing segment is sent again later than what followed it', () => {
    const b = bench();
    const c = connection(b, { timestamp: 100 });
    c.send(7, EVIL.slice(7), { timestamp: 110 });
    b.inspector.releaseOverdue(performance.now() + 1000);
    assert.ok(cut(b.verdicts.get(c.send(0, EVIL.slice(0, 7), { timestamp: 400 }))));
  });

  it('a harmless stream in any order passes', () => {
    const text = 'GET /index.html HTTP/1.1\r\nHost: x\r\n\r\n';
    const b = bench();
    const c = connection(b);
    const order = [...text].map((_, i) => i).sort((x, y) => ((x * 7) % 11) - ((y * 7) % 11));
    const ids = order.map((i) => c.send(i, text[i]!));
    assert.ok(ids.every((id) => accepted(b.verdicts.get(id))));
    assert.equal(b.held(), 0);
    assert.equal(b.inspector.guard.memoryBytes > 0, true, 'judged bytes are kept until they are acknowledged');
    c.answer(0, 'ok', { ack: 1000 + text.length });
  });

  it('what is sent again must equal what was judged', () => {
    const b = bench();
    const c = connection(b);
    assert.ok(accepted(b.verdicts.get(c.send(0, 'GET /good HTTP/1.1\r\n'))));
    assert.ok(accepted(b.verdicts.get(c.send(0, 'GET /good HTTP/1.1\r\n'))));
    assert.equal(b.verdicts.get(c.send(0, 'GET /evil HTTP/1.1\r\n'))?.verdict, NF_DROP);
    assert.equal(b.verdicts.get(c.send(5, 'evil HTTP/1.1\r\nHost'))?.verdict, NF_DROP, 'also where it goes on');
  });

  it('an overlap that differs from a held segment is refused', () => {
    const b = bench();
    const c = connection(b);
    c.send(10, 'xxxxx');
    assert.equal(b.verdicts.get(c.send(8, '--yyyy'))?.verdict, NF_DROP);
    assert.equal(
      b.verdicts.get(c.send(0, '0123456789yyy'))?.verdict,
      NF_DROP,
      'nor may the missing one differ from it',
    );
  });

  it('acknowledged bytes are forgotten and may be sent again', () => {
    const b = bench();
    const c = connection(b);
    c.send(0, 'hello');
    c.answer(0, 'ok', { ack: 1005 });
    assert.ok(accepted(b.verdicts.get(c.send(0, 'HELLO'))), 'the receiver throws it away');
    assert.equal(b.verdicts.get(c.send(0, 'HELLO world'))?.verdict, NF_ACCEPT);
  });

  it('a reset elsewhere than at the next byte does not end it for us alone', () => {
    const b = bench();
    const c = connection(b);
    assert.equal(b.verdicts.get(c.send(50, '', { flags: 'R' }))?.verdict, NF_DROP);
    assert.ok(cut(b.verdicts.get(c.send(0, EVIL))));
  });

  it('data behind a FIN or a reset is refused', () => {
    const b = bench();
    const c = connection(b);
    c.send(0, '', { flags: 'FA' });
    assert.equal(b.verdicts.get(c.send(0, EVIL))?.verdict, NF_DROP);
    const d = connection(b, { srcPort: 41_000 });
    assert.ok(accepted(b.verdicts.get(d.send(0, '', { flags: 'R' }))));
    assert.equal(b.verdicts.get(d.send(0, EVIL))?.verdict, NF_DROP);
  });

  it('a segment with an old timestamp, which the receiver throws away, does not reach it either', () => {
    const b = bench();
    const c = connection(b, { timestamp: 1000 });
    assert.ok(accepted(b.verdicts.get(c.send(0, 'GET', { timestamp: 1001 }))));
    assert.equal(b.verdicts.get(c.send(3, ' /evil HTTP/1.1\r\nHost: x\r\n\r\n', { timestamp: 5 }))?.verdict, NF_DROP);
    assert.ok(cut(b.verdicts.get(c.send(3, ' /evil HTTP/1.1\r\nHost: x\r\n\r\n', { timestamp: 1002 }))));
  });

  /** Sends a text in random pieces, orders and repetitions, as a network would deliver them. @returns what the victim read. */
  function deliver(text: string, seed: number, b: ReturnType<typeof bench>): string {
    let state = seed;
    const random = (n: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return Math.floor((state / 2 ** 32) * n);
    };
    const c = connection(b, { timestamp: 1000 });
    const victim = new Victim(1000);
    const waiting: { at: number; part: string; timestamp: number; id: number }[] = [];
    let clock = 1000;
    const arrive = (): void => {
      for (let i = 0; i < waiting.length; i++) {
        const { at, part, timestamp, id } = waiting[i]!;
        const verdict = b.verdicts.get(id);
        if (verdict === undefined) continue;
        waiting.splice(i--, 1);
        if (!accepted(verdict)) continue;
        const ack = 1000 + victim.receive(at, { text: part, timestamp });
        b.push(segment({ srcPort: 80, dstPort: 40_000, isReply: true, seq: 5000, ack, flags: 'A', timestamp: clock }));
      }
    };
    for (let round = 0; round < 400 && victim.text.length < text.length; round++) {
      clock += random(3);
      // Mostly what comes next, often something ahead, now and then again what was sent, in other pieces.
      const at = Math.min(text.length - 1, Math.max(0, victim.text.length + random(24) - 6));
      const part = text.slice(at, at + 1 + random(9));
      const timestamp = clock - (random(5) === 0 ? random(20) : 0);
      waiting.push({ at, part, timestamp, id: c.send(at, part, { timestamp }) });
      if (random(6) === 0) b.inspector.releaseOverdue(performance.now() + 1000);
      arrive();
    }
    return victim.text;
  }

  it('in whatever pieces, order and repetition a request comes, the victim reads all of a good one and not all of an evil one', () => {
    const good = 'GET /fine?with=some&more=text HTTP/1.1\r\nHost: example\r\n\r\n';
    const evil = good.replace('fine', 'evil');
    for (let seed = 1; seed <= 12; seed++) {
      assert.equal(deliver(good, seed, bench()), good, `seed ${seed}`);
      const b = bench();
      const read = deliver(evil, seed, b);
      assert.ok(read.length < evil.length && b.detections.length === 1, `seed ${seed}: ${JSON.stringify(read)}`);
    }
  });

  it('urgent data is refused', () => {
    const b = bench();
    assert.equal(b.verdicts.get(connection(b).send(0, 'e', { flags: 'UPA' }))?.verdict, NF_DROP);
    assert.equal(b.inspector.counts.exception_urgent, 1);
  });

  it('a rejected datagram is dropped and its sender told; the next one passes', () => {
    const b = bench({}, 'inline: { verdict: rule }');
    const id = b.push(segment({ proto: 17, srcPort: 5353, dstPort: 53, text: 'evil' }));
    assert.equal(b.verdicts.get(id)?.verdict, NF_DROP);
    assert.equal(b.resets[0]![20], 3, 'destination unreachable');
    assert.ok(accepted(b.verdicts.get(b.push(segment({ proto: 17, srcPort: 5353, dstPort: 53, text: 'good' })))));
  });

  it('verdict rule obeys drop and leaves rules that only alert alone', () => {
    const b = bench({}, 'inline: { verdict: rule }');
    assert.ok(accepted(b.verdicts.get(connection(b).send(0, EVIL))));
    assert.ok(cut(b.verdicts.get(connection(b, { srcPort: 41_000, dstPort: 99 }).send(0, 'attack-in-stream'))));
  });

  it('without a policy that says so nothing is dropped', () => {
    const b = bench({}, '');
    assert.ok(accepted(b.verdicts.get(connection(b).send(0, EVIL))));
    assert.deepEqual(b.detections, []);
  });

  it('a limit on alerts is none on drops, and noalert never drops', () => {
    const b = bench();
    for (const srcPort of [41_000, 42_000, 43_000])
      assert.ok(cut(b.verdicts.get(connection(b, { srcPort, dstPort: 99 }).send(0, 'seldom'))));
    assert.deepEqual(b.detections, ['limited']);
    assert.ok(accepted(b.verdicts.get(connection(b, { srcPort: 44_000, dstPort: 99 }).send(0, 'nothing'))));
  });

  it('observe counts what would have been dropped, and holds nothing', () => {
    const b = bench();
    b.judge.mode = 'observe';
    const c = connection(b);
    assert.ok(accepted(b.verdicts.get(c.send(7, EVIL.slice(7)))));
    assert.ok(accepted(b.verdicts.get(c.send(0, EVIL.slice(0, 7)))));
    assert.equal(b.inspector.counts.would_drop, 1);
    assert.equal(b.drops.take()[0]?.simulated, true);
  });

  it('drop_flow drops the rest of a conversation of datagrams too, drop only the datagram', () => {
    const say = (text: string) => segment({ proto: 17, srcPort: 5353, dstPort: 53, text });
    for (const verdict of ['drop_flow', 'drop'] as const) {
      const b = bench({}, `inline: { verdict: ${verdict} }`);
      const [hostile, next] = [b.push(say('evil')), b.push(say('good'))].map((id) => b.verdicts.get(id));
      assert.ok(
        verdict === 'drop' ? hostile?.verdict === NF_DROP && accepted(next) : cut(hostile) && cut(next),
        verdict,
      );
      assert.deepEqual(b.resets, []);
    }
  });

  it('reject resets both ends', () => {
    const b = bench({}, 'inline: { verdict: reject }');
    connection(b).send(0, EVIL);
    assert.equal(b.resets.length, 2);
    const [back, forward] = b.resets;
    assert.equal(back!.readUInt16BE(20), 80);
    assert.equal(back!.readUInt32BE(24), 5000);
    assert.equal(forward!.readUInt16BE(20), 40_000);
  });

  it('mark marks the packets of the connection from there on', () => {
    const b = bench({}, 'inline: { verdict: mark, mark: 7 }');
    const c = connection(b);
    assert.equal(b.verdicts.get(c.send(0, EVIL))?.mark, 7);
    assert.equal(b.verdicts.get(c.answer(0, 'x'))?.mark, 7);
  });

  it('a direction that was harmless for long is passed on, the other is still judged', () => {
    const b = bench({ bypass: { after_kib: 1 } });
    const c = connection(b);
    let last = 0;
    for (let i = 0; i < 3; i++) last = c.answer(i * 600, 'x'.repeat(600));
    assert.ok((b.verdicts.get(last)!.mark & MARKS.pass) !== 0);
    assert.ok(cut(b.verdicts.get(c.send(0, EVIL))));
  });

  it('a connection on the ports of one whose answers passed unseen is judged from its beginning', () => {
    const b = bench({ bypass: { after_kib: 1 } });
    const c = connection(b);
    c.send(0, 'GET /1 HTTP/1.1\r\nHost: x\r\n\r\n');
    for (let i = 0; i < 3; i++) c.answer(i * 600, 'x'.repeat(600));
    // The kernel hands over how it ends, though it lets the rest pass.
    c.answer(90_000, '', { flags: 'FA' });
    const next = connection(b);
    const answer = b.verdicts.get(next.answer(0, 'HTTP/1.1 200 OK\r\n\r\n'));
    assert.ok(answer!.mark < 0 || (answer!.mark & MARKS.pass) === 0, 'what the old one was allowed is over');
    assert.ok(cut(b.verdicts.get(next.send(0, EVIL))));
  });

  it('a connection that began before is judged from there, or refused, as its exception says', () => {
    const b = bench();
    assert.ok(
      cut(b.verdicts.get(b.push(segment({ srcPort: 1, dstPort: 80, seq: 7, ack: 9, flags: 'PA', text: EVIL })))),
    );
    const strict = bench({ exceptions: { midstream: 'drop' } });
    const id = strict.push(segment({ srcPort: 1, dstPort: 80, seq: 7, ack: 9, flags: 'PA', text: 'GET /' }));
    assert.equal(strict.verdicts.get(id)?.verdict, NF_DROP);
    assert.equal(strict.inspector.counts.exception_midstream, 1);
  });

  it('when memory is full the exception decides', () => {
    for (const [memory, verdict] of [
      ['drop', NF_DROP],
      ['pass', NF_ACCEPT],
    ] as const) {
      const b = bench({ stream: { flow_kib: 4096, total_mib: 1 }, exceptions: { memory } });
      const c = connection(b);
      let last = 0;
      for (let i = 0; i < 800; i++) last = c.send(10 + i * 1400, 'x'.repeat(1400));
      assert.equal(b.verdicts.get(last)?.verdict, verdict);
      assert.ok(b.inspector.counts.exception_memory > 0);
    }
  });

  it('one connection cannot fill its own room to get what is ahead past us: it has to send it again', () => {
    const b = bench({ stream: { flow_kib: 64 } });
    const c = connection(b);
    let last = 0;
    for (let i = 0; i < 60; i++) last = c.send(10 + i * 1400, 'x'.repeat(1400));
    assert.equal(b.verdicts.get(last)?.verdict, NF_DROP);
    const { exception_memory: exceptions, held_refused: refused } = b.inspector.counts;
    assert.ok(exceptions === 0 && refused > 0, `${exceptions} ${refused}`);
  });

  it('a held segment that is sent again takes no more room', () => {
    const b = bench();
    const c = connection(b);
    c.send(7, EVIL.slice(7));
    const before = b.inspector.guard.memoryBytes;
    assert.ok(accepted(b.verdicts.get(c.send(7, EVIL.slice(7)))));
    assert.ok(accepted(b.verdicts.get(c.send(9, EVIL.slice(9, 12)))), 'also a part of it');
    assert.equal(b.inspector.guard.memoryBytes, before);
    assert.ok(cut(b.verdicts.get(c.send(0, EVIL.slice(0, 7)))), 'and is judged with the missing one all the same');
  });

  it('a connection forgotten while a segment was missing is reset: the missing one alone would complete what nobody read', () => {
    const b = bench();
    const c = connection(b);
    c.send(7, EVIL.slice(7));
    b.inspector.releaseOverdue(performance.now() + 1000);
    b.inspector.tick((Date.now() + 48 * 3_600_000) * 1000);
    assert.equal(b.inspector.counts.holes_cut, 1);
    assert.equal(b.resets[0]?.readUInt32BE(24), 1000, 'where the server expects the next byte');
    // The control: nothing is missing, nobody is reset.
    const whole = bench();
    connection(whole).send(0, 'GET /fine HTTP/1.1\r\n');
    whole.inspector.tick((Date.now() + 48 * 3_600_000) * 1000);
    assert.deepEqual(whole.resets, []);
  });

  it('what is sent again after it was forgotten unacknowledged is an exception, acknowledged it is harmless', () => {
    const b = bench({ stream: { flow_kib: 64 }, exceptions: { memory: 'drop' } });
    const c = connection(b);
    for (let i = 0; i < 100; i++) c.send(i * 1400, 'x'.repeat(1400));
    const different = 'y'.repeat(1400);
    assert.equal(b.verdicts.get(c.send(0, different))?.verdict, NF_DROP);
    c.answer(0, 'ok', { ack: 1000 + 2800 });
    assert.ok(accepted(b.verdicts.get(c.send(0, different))), 'the receiver throws it away');
    assert.equal(b.verdicts.get(c.send(1400, 'y'.repeat(2000)))?.verdict, NF_DROP, 'it goes on beyond');
  });

  it('garbage passes or not as its exception says', () => {
    const b = bench();
    assert.ok(accepted(b.verdicts.get(b.push(new Uint8Array([0x45, 0, 0])))));
    assert.equal(b.inspector.counts.exception_parser_error, 1);
    const strict = bench({ exceptions: { parser_error: 'drop' } });
    assert.equal(strict.verdicts.get(strict.push(new Uint8Array([0x45, 0, 0])))?.verdict, NF_DROP);
  });

  it('a packet that was not handed over whole passes or not as its exception says', () => {
    const packet = segment({ proto: 17, srcPort: 1, dstPort: 53, text: 'x'.repeat(500) });
    const b = bench();
    assert.ok(accepted(b.verdicts.get(b.push(packet, { handedOver: 300 }))));
    const strict = bench({ exceptions: { truncated: 'drop' } });
    assert.equal(strict.verdicts.get(strict.push(packet, { handedOver: 300 }))?.verdict, NF_DROP);
    assert.equal(strict.inspector.counts.exception_truncated, 1);
    assert.ok(accepted(strict.verdicts.get(strict.push(packet))), 'the control');
  });

  it('a packet with a wrong checksum, which its receiver throws away, is dropped; one that the kernel has looked at is not', () => {
    const b = bench();
    const wrong = segment({ proto: 17, srcPort: 1, dstPort: 53, text: 'good' });
    wrong.set([0x12, 0x34], 26);
    assert.equal(b.verdicts.get(b.push(wrong, { isUnverified: true }))?.verdict, NF_DROP);
    assert.equal(b.inspector.counts.invalid, 1);
    assert.ok(accepted(b.verdicts.get(b.push(wrong))));
  });

  for (const [version, value] of [
    [4, '192.0.2.0/24'],
    [6, '2001:db8::1'],
  ] as const)
    it(`packets of a source that was blocked just now do not pass though they were queued before, IPv${version}`, () => {
      const b = bench();
      const c = connection(b, { version });
      assert.ok(accepted(b.verdicts.get(c.send(0, 'GET / '))));
      b.blocks.add(value, 1000);
      assert.equal(b.verdicts.get(c.send(6, 'HTTP/1.1'))?.verdict, NF_DROP);
      assert.equal(b.inspector.counts.decision_drops, 1);
      b.judge.mode = 'observe';
      assert.ok(accepted(b.verdicts.get(c.send(6, 'HTTP/1.1'))), 'the control: observing, nothing is dropped');
      b.judge.mode = 'enforce';
      b.blocks.forgetOld(7000);
      assert.ok(accepted(b.verdicts.get(c.send(6, 'HTTP/1.1'))), 'the kernel does it by then');
    });

  it('a segment that waited gets its verdict from the queue that is there then', () => {
    const b = bench();
    const c = connection(b);
    const late = c.send(4, 'world');
    const released: number[] = [];
    b.deps.sink = { verdict: (id) => void released.push(id), hold: () => undefined, released: () => undefined };
    const first = c.send(0, 'hell');
    assert.deepEqual(released.toSorted(), [late, first]);
  });

  it('the rehearsal before the first packet judges thousands and leaves nothing behind', () => {
    const b = bench();
    assert.ok(rehearse(b.inspector) > 1000);
    assert.ok(b.verdicts.size > 1000, 'every one of them had its verdict');
    const { judged, dropped, retransmissions, flows, held_bytes: kept } = b.inspector.stats();
    assert.deepEqual(
      { judged, dropped, retransmissions, flows, kept },
      { judged: 0, dropped: 0, retransmissions: 0, flows: 0, kept: 0 },
    );
    assert.deepEqual(b.detections, []);
    assert.ok(cut(b.verdicts.get(connection(b).send(0, EVIL))));
  });
});
