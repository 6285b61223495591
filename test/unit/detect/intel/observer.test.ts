import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAppLayer } from '../../../../src/applayer/index.js';
import { createIntel, intelOptionsSchema, TableBuilder } from '../../../../src/detect/intel/index.js';
import type { Detection } from '../../../../src/domain/detection.js';
import type { Indicator } from '../../../../src/domain/indicator.js';
import { PROTO, type DecodedPacket } from '../../../../src/domain/packet.js';
import { createFlowTable } from '../../../../src/flow/index.js';
import { packet } from '../../support/packets.js';
import { back, dnsPayload, handshake } from '../../support/replay.js';

/** Threat intelligence over the product's own flow table and parsers. */
class Watch {
  readonly detections: Detection[] = [];
  private readonly intel;
  private readonly flows;
  private readonly app = createAppLayer({});
  private readonly apps = new Map<number, ReturnType<ReturnType<typeof createAppLayer>['createFlow']>>();

  constructor(indicators: Partial<Indicator>[], options: object = {}) {
    this.intel = createIntel(intelOptionsSchema.parse(options), {
      emit: (d) => this.detections.push(d),
      sensor: 'test',
    });
    const builder = new TableBuilder(100);
    for (const one of indicators)
      builder.add({
        type: 'ip',
        value: '',
        source: 'feed',
        confidence: 0.9,
        label: 'botnet',
        validFromMs: 0,
        validUntilMs: 0,
        ...one,
      });
    this.intel.setTable(builder.build(0));
    this.flows = createFlowTable(
      { maxFlows: 1024 },
      { onEnd: (flows, slot, reason, nowUs) => this.intel.observer.onFlowEnd?.(flows, slot, reason, nowUs) },
    );
  }

  push(...packets: DecodedPacket[]): void {
    for (const p of packets) {
      const slot = this.flows.push(p);
      this.intel.observer.onPacket(p, this.flows, slot, this.flows.direction, this.flows.isNew);
      if (p.payloadLen === 0) continue;
      const transport = p.proto === PROTO.UDP ? 'udp' : 'tcp';
      let app = this.apps.get(slot);
      if (!app) this.apps.set(slot, (app = this.app.createFlow(transport, { srcPort: p.srcPort, dstPort: p.dstPort })));
      app.onData(this.flows.direction, p.data, p.payloadOffset, p.payloadLen, 0, p.tsUs);
      this.intel.watcher.onTransactions(app.transactions, p, this.flows, slot);
    }
  }
}

const bad = '203.0.113.7';
const fromBad = { at: 0, src: bad, dst: '10.0.0.2', sport: 40_000, dport: 22 };

test('a connection from a listed address is reported at its first packet as forgeable, and again when it is proved', () => {
  const w = new Watch([{ value: bad }]);
  const [syn, ...rest] = handshake(fromBad);
  w.push(syn!);
  assert.deepEqual(
    w.detections.map((d) => [d.tier, d.label, d.offender, d.victim, d.spoofable]),
    [['intel', 'listed_address', bad, '10.0.0.2', true]],
  );
  assert.match(w.detections[0]?.evidence[0]?.text ?? '', /203\.0\.113\.7 is listed as botnet by feed/);
  w.push(...rest);
  assert.deepEqual(
    w.detections.map((d) => d.spoofable),
    [true, false],
  );
});

test('a connection to a listed address blames the address, not the inside host', () => {
  const w = new Watch([{ type: 'cidr', value: '203.0.113.0/24' }]);
  w.push(...handshake({ at: 0, src: '10.0.0.2', dst: bad, sport: 40_000, dport: 443 }));
  const [first, second] = w.detections;
  assert.equal(first?.offender, bad);
  assert.equal(first.attack?.techniqueId, 'T1071');
  assert.equal(second?.spoofable, false);
  assert.equal(w.detections.length, 2);
});

test('addresses that nobody lists, and indicators that are over, are not reported', () => {
  const w = new Watch([{ value: '203.0.113.8' }, { value: bad, validUntilMs: Date.parse('2024-12-31T00:00:00Z') }]);
  w.push(...handshake(fromBad));
  assert.equal(w.detections.length, 0);
});

test('the same finding is held back for the configured time and reported again after it', () => {
  const w = new Watch([{ value: bad }], { realertSecs: 60 });
  for (let i = 0; i < 50; i++) w.push(...handshake({ ...fromBad, sport: 41_000 + i, at: i * 0.1 }));
  assert.equal(w.detections.length, 2);
  w.push(...handshake({ ...fromBad, sport: 50_000, at: 120 }));
  assert.equal(w.detections.length, 4);
});

test('a look-up of a listed name is reported once, and blocks neither the client nor the resolver', () => {
  const w = new Watch([{ type: 'domain', value: 'evil.example' }]);
  const ask = { at: 0, src: '10.0.0.2', dst: '192.0.2.53', proto: PROTO.UDP, sport: 5353, dport: 53 };
  w.push(packet({ ...ask, payload: dnsPayload('www.evil.example') }));
  w.push(packet({ ...back(ask), payload: dnsPayload('www.evil.example', 0), at: 0.1 }));
  const [d, ...more] = w.detections;
  assert.deepEqual(more, []);
  assert.deepEqual([d?.label, d?.offender, d?.noBlock, d?.appProto], ['listed_name', '10.0.0.2', true, 'dns']);
  assert.equal(d?.evidence[0]?.value, 'www.evil.example');
  const other = new Watch([{ type: 'domain', value: 'evil.example' }]);
  other.push(packet({ ...ask, payload: dnsPayload('www.good.example') }));
  assert.equal(other.detections.length, 0);
  const atPortOfMdns = new Watch([{ type: 'domain', value: 'evil.example' }]);
  atPortOfMdns.push(packet({ ...ask, dport: 5353, payload: dnsPayload('www.evil.example') }));
  assert.deepEqual(atPortOfMdns.detections.map((found) => [found.offender, found.noBlock]), [['10.0.0.2', true]]); // prettier-ignore
});

test('a request names its host and its URL; the second request of a connection is looked at too', () => {
  const w = new Watch([
    { type: 'domain', value: 'evil.example' },
    { type: 'url', value: 'good.example/payload.bin?x=1' },
  ]);
  const f = { at: 0, src: '10.0.0.2', dst: '198.51.100.9', sport: 40_000, dport: 80 };
  const request = (host: string, target: string): string => `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
  w.push(...handshake(f));
  w.push(packet({ ...f, at: 0.1, flags: 0x18, payload: request('good.example', '/') }));
  assert.equal(w.detections.length, 0);
  w.push(packet({ ...f, at: 0.2, flags: 0x18, payload: request('good.example', '/payload.bin?x=1') }));
  w.push(packet({ ...f, at: 0.3, flags: 0x18, payload: request('Evil.example', '/') }));
  assert.deepEqual(
    w.detections.map((d) => [d.label, d.offender, d.evidence[0]?.value]),
    [
      ['listed_url', '198.51.100.9', 'good.example/payload.bin?x=1'],
      ['listed_name', '198.51.100.9', 'evil.example'],
    ],
  );
});
