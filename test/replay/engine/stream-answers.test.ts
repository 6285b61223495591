import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createSignatures, type SignatureOptions } from '../../../src/daemons/signatures.js';
import { signatureOptionsSchema } from '../../../src/detect/signature/index.js';
import { createFlowTable } from '../../../src/flow/index.js';
import { tcp, type Traffic } from '../rules/traffic.js';

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

test('a rule with a depth fires for the packet and once more for the stream, with the next packet of that side', () => {
  const deep = 'alert tcp any any -> any any (content:"USER"; depth:4; sid:1;)';
  const plain = 'alert tcp any any -> any any (content:"USER"; sid:2;)';
  assert.deepEqual(fired(tcp(2100, LOGIN), [deep, plain]), ['1@4', '2@4', '1@7']);
  assert.deepEqual(fired(tcp(2100, LOGIN), [deep, plain], { inline: true }), ['1@4', '2@4']);
  const elsewhere = 'alert tcp any any -> any any (content:"PASS"; depth:4; sid:3;)';
  assert.deepEqual(fired(tcp(2100, LOGIN), [elsewhere]), ['3@8'], 'in the stream it lies beyond the depth');
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
