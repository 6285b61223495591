import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createSignatures, type SignatureOptions } from '../../../src/daemons/signatures.js';
import { signatureOptionsSchema } from '../../../src/detect/signature/index.js';
import { createFlowTable } from '../../../src/flow/index.js';
import {
  certificateOf,
  certificates,
  clientHello,
  der,
  handshake,
  record,
  serverHello,
  serverName,
} from '../../unit/applayer/events/wire-tls.js';
import { http, tcp, type Traffic } from '../rules/traffic.js';

const folder = mkdtempSync(join(tmpdir(), 'portcullis-stream-'));
after(() => {
  rmSync(folder, { recursive: true });
});

/** Signature ids of the rules that fire, each with the number of its packet in the traffic, 0 at the end of the flow. */
function fired(
  traffic: Traffic,
  rules: string[],
  options: Partial<SignatureOptions> = {},
  onTagged: (packetNumber: number, signatureId: number) => void = () => undefined,
): string[] {
  const file = join(folder, 'x.rules');
  writeFileSync(file, rules.join('\n'));
  const out: string[] = [];
  const { observer } = createSignatures(
    { ...signatureOptionsSchema.parse({ rules: [file] }), stream: { inspect: 'arrival' }, ...options },
    {
      emit: (d) => out.push(`${d.signatureId}@${d.packetNumber ?? 0}`),
      onTagged: (packet, _place, rule) => {
        onTagged(packet.number, rule.signatureId);
      },
      sensor: 'test',
    },
  );
  const table = createFlowTable(
    { maxFlows: 64 },
    { onEnd: (flows, slot, reason, nowUs) => observer.onFlowEnd?.(flows, slot, reason, nowUs) },
  );
  traffic.forEach((p, n) => {
    p.number = n + 1;
    const slot = table.push(p);
    observer.onPacket(p, table, slot, table.direction, slot >= 0 && table.isNew);
  });
  table.flush(traffic.at(-1)!.tsUs);
  return out;
}

const LOGIN = [
  ['>', 'USER administrator\r\n'],
  ['<', '331 more\r\n'],
  ['>', 'PASS x\r\n'],
] as const;

const deep = 'alert tcp any any -> any any (content:"USER"; depth:4; sid:1;)';

test('a rule with a depth fires for the packet and once more for the stream, when a side ends', () => {
  const plain = 'alert tcp any any -> any any (content:"USER"; sid:2;)';
  assert.deepEqual(fired(tcp(2100, LOGIN), [deep, plain]), ['1@4', '2@4', '1@10']);
  assert.deepEqual(fired(tcp(2100, LOGIN), [deep, plain], { stream: {} }), ['1@4', '2@5', '1@10']);
  assert.deepEqual(fired(tcp(2100, LOGIN), [deep, plain], { inline: true }), ['1@4', '2@4']);
  assert.deepEqual(fired(tcp(2100, LOGIN).slice(0, 9), [deep]), ['1@4', '1@0'], 'or with the flow');
  const elsewhere = 'alert tcp any any -> any any (content:"PASS"; depth:4; sid:3;)';
  assert.deepEqual(fired(tcp(2100, LOGIN), [elsewhere]), ['3@8'], 'in the stream it lies beyond the depth');
});

test('the stream is looked at once for a piece of it, sooner when much comes, and with each message of HTTP', () => {
  const much = tcp(2100, [...LOGIN, ['>', 'x'.repeat(2600)], ['>', 'y']]);
  assert.deepEqual(fired(much, [deep]), ['1@4', '1@11']);
  const twice = 'alert tcp any any -> any any (content:"PASS"; offset:0; byte_test:1,>,0,0; sid:1;)';
  const passes = tcp(2100, [['>', 'PASS a\r\n'], ['>', 'PASS b\r\n']]); // prettier-ignore
  assert.deepEqual(fired(passes, [twice]), ['1@4', '1@6', '1@8']);
  const web = 'alert tcp any any -> any any (content:"GET"; depth:3; sid:1;)';
  assert.deepEqual(fired(http({ uri: '/' }), [web]), ['1@4', '1@7']);
});

test('of TLS the stream is looked at with each message of the handshake', () => {
  const begin = 'alert tcp any any -> any any (content:"|16 03|"; depth:2; sid:1;)';
  const sides = ['to_server', 'to_client'].map((side, i) => begin.replace('content', `flow:${side}; content`).replace('sid:1', `sid:${i + 2}`)); // prettier-ignore
  const told = (turns: Parameters<typeof tcp>[1]): number[] =>
    [2, 3].map((sid) => fired(tcp(443, turns), sides).filter((alert) => alert.startsWith(`${sid}@`)).length); // prettier-ignore
  const hello = clientHello(serverName('a.b'));
  const certificate = certificates(certificateOf({}));
  const done = record(22, handshake(14, ''));
  // The numbers of Suricata 7.0.10.
  assert.deepEqual(told([['>', hello]]), [2, 0]);
  assert.deepEqual(told([['>', hello], ['<', serverHello()]]), [2, 2]); // prettier-ignore
  assert.deepEqual(told([['>', hello], ['<', serverHello() + certificate + done]]), [2, 2]); // prettier-ignore
  assert.deepEqual(told([['>', hello], ['<', serverHello()], ['<', certificate], ['<', done]]), [2, 4]); // prettier-ignore
});

test('a data connection of FTP, known before its first packet, is judged as established once it is', () => {
  const control = tcp(21, [['<', '220 FTP\r\n'], ['>', 'PASV\r\n'], ['<', '227 Entering (10,0,0,2,8,52)\r\n'], ['>', 'RETR a\r\n']]); // prettier-ignore
  const sides = ['to_server', 'to_client'].map((side, i) => `alert ftp-data any any -> any any (flow:established,${side}; sid:${i + 1};)`); // prettier-ignore
  const data = tcp(2100, [['<', 'hello']], 1, 41_000); // prettier-ignore
  assert.deepEqual(fired([...control, ...data], sides), ['2@18', '1@19', '1@20', '2@21', '1@22']);
  assert.deepEqual(fired(data, sides), []);
});

test('a content without regard to case finds serial numbers of certificates, which are in upper case', () => {
  const shown = serverHello() + certificates(certificateOf({ serial: der(2, '\x5c\x1a') }));
  const rule = (content: string): string => `alert tls any any -> any any (tls.cert_serial; ${content} sid:1;)`;
  const told = (content: string): number =>
    fired(tcp(443, [['>', clientHello()], ['<', shown]]), [rule(content)]).length; // prettier-ignore
  assert.deepEqual(['content:"1a"; nocase;', 'content:"1A"; nocase;', 'content:"1a";', 'content:"1b"; nocase;'].map(told), [1, 1, 1, 0]); // prettier-ignore
});

test('a connection that is there a second time counts for its packets only', () => {
  const once = tcp(2100, LOGIN);
  const later = (n: number, port = 40_000): Traffic => tcp(2100, LOGIN, n, port);
  assert.deepEqual(fired([...once, ...later(1)], [deep]), ['1@4', '1@10', '1@16']);
  assert.deepEqual(fired([...once, ...later(90)], [deep]), ['1@4', '1@10', '1@16']);
  assert.deepEqual(fired([...once, ...later(1, 40_001)], [deep]), ['1@4', '1@10', '1@16', '1@22']);
  const split = tcp(2100, [['>', 'US'], ['>', 'ER x']]); // prettier-ignore
  assert.deepEqual(fired([...split, ...tcp(2100, [['>', 'US'], ['>', 'ER x']], 1)], [deep]), ['1@6', '1@16']); // prettier-ignore
});

test('a threshold counts both', () => {
  const rule =
    'alert tcp any any -> any any (content:"USER"; depth:4; threshold:type threshold,track by_dst,count 2,seconds 60; sid:1;)';
  assert.equal(fired(tcp(2100, LOGIN), [rule]).length, 1);
  assert.equal(fired(tcp(2100, LOGIN), [rule], { inline: true }).length, 0);
});

test('rules see oddities of a connection only as the packet that shows them comes', () => {
  const traffic = tcp(2100, LOGIN);
  const again = { ...traffic[0]!, tsUs: traffic[8]!.tsUs };
  const rules = [
    'alert tcp any any -> any any (stream-event:est_syn_resend; sid:1;)',
    'alert tcp any any -> any any (stream-event:fin_but_no_session; sid:2;)',
  ];
  assert.deepEqual(fired([...traffic.slice(0, 8), again as Traffic[number]], rules), ['1@9']);
  assert.deepEqual(fired(traffic, rules), []);
  assert.deepEqual(fired(traffic.slice(-3), rules), ['2@1', '2@2']);
});

test('connections seen from their middle are judged, left alone by rules, or not even put together', () => {
  const middle = tcp(2100, LOGIN).slice(3);
  const rules = ['alert tcp any any -> any any (flow:established; content:"PASS"; sid:1;)'];
  const stream = { inspect: 'arrival', midstream: true } as const;
  assert.deepEqual(fired(middle, rules, { stream }), ['1@5']);
  for (const midstreamPolicy of ['pass_flow', 'bypass'] as const)
    assert.deepEqual(fired(middle, rules, { stream: { ...stream, midstreamPolicy } }), []);
  assert.deepEqual(fired(tcp(2100, LOGIN), rules, { stream: { ...stream, midstreamPolicy: 'bypass' } }), ['1@8']);
});

test('packets that follow the alert of a rule with a tag are recorded, as many as it asks for', () => {
  const recorded = (tag: string): string[] => {
    const out: string[] = [];
    const rule = `alert tcp any any -> any any (content:"USER"; dsize:>0; flow:to_server; tag:${tag}; sid:7;)`;
    fired([...tcp(2100, LOGIN), ...tcp(2100, [['>', 'HELP\r\n']], 1, 41_000)], [rule], {}, (p, sid) =>
      out.push(`${sid}@${p}`),
    );
    return out;
  };
  assert.deepEqual(recorded('session,3,packets'), ['7@5', '7@6', '7@7']);
  assert.equal(recorded('session').length, 8, 'the rest of the connection, none of the next');
  assert.equal(recorded('host,300,seconds,src').length, 8 + 8, 'whatever the host has to do with');
});
