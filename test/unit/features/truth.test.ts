import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FlowRecord } from '../../../src/domain/flow.js';
import { parseTruth } from '../../../src/features/index.js';

const START = 1_700_000_000_000_000;
const flow = (change: Partial<FlowRecord> = {}): FlowRecord =>
  ({
    startUs: START,
    proto: 6,
    srcIp: '10.0.0.1',
    srcPort: 4000,
    dstIp: '10.0.0.2',
    dstPort: 22,
    ...change,
  }) as FlowRecord;

test('steps label flows by time, addresses either way round, protocol and port', () => {
  const truth = parseTruth(
    'start,end,src,dst,proto,dport,label\n1700000000,1700000010,10.0.0.1,10.0.0.0/24,tcp,22,ssh_brute_force\n',
  );
  assert.equal(truth.kind, 'steps');
  assert.equal(truth.ofFlow(flow()), 'ssh_brute_force');
  assert.equal(
    truth.ofFlow(flow({ srcIp: '10.0.0.2', dstIp: '10.0.0.1', srcPort: 22, dstPort: 4000 })),
    'ssh_brute_force',
  );
  assert.equal(truth.ofFlow(flow({ dstPort: 80 })), undefined);
  assert.equal(truth.ofFlow(flow({ proto: 17 })), undefined);
  assert.equal(truth.ofFlow(flow({ srcIp: '10.0.1.1' })), undefined);
  assert.equal(truth.ofFlow(flow({ startUs: START + 12e6 })), undefined);
});

test('the truth.csv of the lab is understood, and attacks come before benign steps', () => {
  const truth = parseTruth(
    'startUs,endUs,label,malicious,technique,tool,sources,targets\n' +
      `${START},${START + 1e7},benign,false,,curl,10.0.0.1 10.0.0.3,10.0.0.2\n` +
      `${START},${START + 1e7},port_scan,true,T1046,nmap,10.0.0.1,10.0.0.2\n`,
  );
  assert.equal(truth.ofFlow(flow()), 'port_scan');
  assert.equal(truth.ofFlow(flow({ srcIp: '10.0.0.3' })), 'benign');
});

test('JSON steps and one line a packet are understood', () => {
  const steps = {
    steps: [
      { startUs: START, endUs: START + 1e6, label: 'beacon', malicious: true, sources: ['10.0.0.1'], targets: [] },
    ],
  };
  assert.equal(parseTruth(JSON.stringify(steps)).ofFlow(flow()), 'beacon');
  const packets = parseTruth('1;0\n2;1\n3;web_attack\n');
  assert.equal(packets.kind, 'packets');
  assert.deepEqual(
    [1, 2, 3, 4].map((n) => packets.ofPacket(n)),
    ['benign', 'attack', 'web_attack', undefined],
  );
});

test('a line that cannot be read is named', () => {
  for (const text of [
    'start,src,label\n0,nonsense,x\n',
    'start,src,label\nnever,10.0.0.1,x\n',
    '1;0\nx;1\n',
    'src,dst,label\n,,\n',
  ]) {
    assert.throws(() => parseTruth(text), /line [12]/, text);
  }
});
