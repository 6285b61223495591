import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fc } from '../../support/fuzz.js';
import { field, play } from './bench.js';
import { fieldOf } from './talk.js';

const u16 = (n: number): number[] => [n >> 8, n & 255];
const name = (text: string): number[] => [
  ...text.split('.').flatMap((label) => [label.length, ...Buffer.from(label)]),
  0,
];

function message(flags: number, questions: number[][], answers: number[][] = [], id = 0x1234): Uint8Array {
  return Uint8Array.from([
    ...u16(id),
    ...u16(flags),
    ...u16(questions.length),
    ...u16(answers.length),
    ...u16(0),
    ...u16(0),
    ...questions.flat(),
    ...answers.flat(),
  ]);
}

const question = (text: string, type = 1): number[] => [...name(text), ...u16(type), ...u16(1)];
/** Points to the first question's name. */
const answer = (data: number[]): number[] => [0xc0, 12, ...u16(1), ...u16(1), 0, 0, 1, 0, ...u16(data.length), ...data];

const QUERY = message(0x0100, [question('www.Example.org', 28)]);
const REPLY = message(0x8183, [question('www.Example.org', 28)], [answer([192, 0, 2, 1])]);

describe('multicast DNS', () => {
  const MDNS: Parameters<typeof play>[1] = { transport: 'udp', ports: [5353, 5353] };
  const pointer = answer(name('_ipp._tcp.local'));

  it('has questions and answers from the same side', () => {
    const flow = play([[0, message(0, [question('host.local')])], [0, message(0x8400, [question('host.local')], [pointer])]], MDNS); // prettier-ignore
    assert.equal(flow.proto, 'mdns');
    assert.deepEqual(fieldOf(flow.transactions, 'mdns.queries.rrname', 0), ['host.local', 'host.local']);
    assert.deepEqual(fieldOf(flow.transactions, 'mdns.answers.rrname', 0), ['host.local']);
    assert.deepEqual(fieldOf(flow.transactions, 'mdns.answers.rrname', 1), []);
    assert.deepEqual(fieldOf(flow.transactions, 'dns.queries.rrname', 0), ['host.local', 'host.local']);
  });

  it('is DNS to port 5353 only', () => {
    assert.equal(play([[0, QUERY]], { transport: 'udp', ports: [5353, 53] }).proto, 'dns');
    assert.equal(play([[0, Uint8Array.from([1, 2, 3])]], MDNS).proto, undefined);
  });
});

describe('DNS', () => {
  it('reads a query whatever its id: none makes it look like QUIC', () => {
    // The first byte of a long header, then what would be a version of Google's, and of a draft.
    for (const [id, flags] of [
      [0xc051, 0x0100],
      [0xc0ff, 0],
    ] as const) {
      const query = message(flags, [question('www.example.org')], [], id);
      const flow = play([[0, query]], { transport: 'udp', ports: [40_000, 53] });
      assert.equal(flow.proto, 'dns', id.toString(16));
      assert.deepEqual(field(flow.transactions[0], 'dns.query'), ['www.example.org']);
    }
  });

  it('reads queries and answers over UDP on any port', () => {
    const flow = play(
      [
        [0, QUERY],
        [1, REPLY],
      ],
      { transport: 'udp', ports: [40_000, 9999] },
    );
    const [query, reply] = flow.transactions;
    assert.equal(flow.proto, 'dns');
    assert.deepEqual(field(query, 'dns.query'), ['www.Example.org']);
    assert.equal(query?.numbersOf?.('dns.rrtype', 0)?.[0], 28);
    assert.equal(query?.number('dns.opcode'), 0);
    assert.equal(query?.number('dns.rcode'), undefined);
    assert.deepEqual(field(reply, 'dns.answer.name', 1), ['www.Example.org']);
    assert.equal(field(reply, 'dns.query', 0), undefined);
    assert.equal(reply?.number('dns.rcode'), 3);
  });

  it('reads messages over TCP however they are cut', () => {
    const two = Uint8Array.from([...u16(QUERY.length), ...QUERY, ...u16(QUERY.length), ...QUERY]);
    for (let cut = 1; cut <= two.length; cut++) {
      const flow = play([[0, two]], { cut });
      assert.deepEqual(
        flow.transactions.map((t) => field(t, 'dns.query')),
        [['www.Example.org'], ['www.Example.org']],
      );
    }
  });

  it('survives names that point to themselves, and says so', () => {
    const loop = message(0x8180, [question('a.b')], [[0xc0, 23, 0xc0, 23, ...u16(1), ...u16(1), 0, 0, 0, 1, 0, 0]]);
    const [tx] = play([[1, loop]], { transport: 'udp' }).transactions;
    assert.deepEqual(tx?.events, ['infinite_loop']);
  });

  it('leaves out a message whose records do not fit in it, as Suricata does', () => {
    const broken = REPLY.subarray(0, REPLY.length - 2);
    assert.deepEqual(play([[1, broken]], { transport: 'udp' }).transactions, []);
  });

  it('does not take other datagrams for DNS', () => {
    for (const other of ['hello, world, how are you?', '\x16\x03\x01\x00\x05aaaaaaaaaaaaaaa']) {
      assert.equal(play([[0, other]], { transport: 'udp' }).proto, undefined);
    }
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), fc.nat(REPLY.length), (noise, keep) => {
        const data = Uint8Array.from([...REPLY.subarray(0, keep), ...noise]);
        for (const t of play([[1, data]], { transport: 'udp' }).transactions) {
          for (const n of ['dns.query', 'dns.answer.name', 'dns.additionals.rrname']) field(t, n, 1);
        }
      }),
    );
  });
});
