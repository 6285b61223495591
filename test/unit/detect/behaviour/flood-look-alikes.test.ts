import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PROTO } from '../../../../src/domain/packet.js';
import { packet, T0 } from '../../support/packets.js';
import { back, dnsPayload, Replay } from '../../support/replay.js';

/** Echo requests of one source, a so many a second, answered or not. */
function pings(perSec: number, seconds: number, icmpType = 8): string[] {
  const r = new Replay();
  for (let i = 0; i < perSec * seconds; i++) {
    const f = { at: i / perSec, proto: PROTO.ICMP, src: '10.0.0.66', icmpId: 3 };
    r.push(packet({ ...f, icmpType }), packet({ ...back(f), at: f.at + 0.0005, icmpType: 0 }));
  }
  return r.labels();
}

test('two hundred echo requests a second that go on are a flood; a short ping -f and fifty a second are not', () => {
  assert.deepEqual(pings(200, 8), ['icmp_flood']);
  assert.deepEqual(pings(200, 3), []);
  assert.deepEqual(pings(50, 60), []);
  assert.deepEqual(pings(200, 20, 3), [], 'a host that is told of a closed port as often as it asks');
});

test('a one-way stream of 900 UDP packets a second, such as a camera or a log, is no flood', () => {
  const r = new Replay();
  for (let i = 0; i < 9000; i++)
    r.push(packet({ at: i / 900, proto: PROTO.UDP, src: '10.0.0.66', sport: 5004, dport: 5004, payload: 1200 }));
  r.wait(2);
  assert.deepEqual(r.labels(), []);
});

/** Questions from outside to a server inside, and its answers. */
function ask(r: Replay, f: { perSec: number; name: (i: number) => string; answerBytes: number; src?: string }): void {
  for (let i = 0; i < f.perSec * 3; i++) {
    const q = { at: i / f.perSec, proto: PROTO.UDP, src: f.src ?? '203.0.113.9', sport: 1024 + i, dport: 53 };
    const payload = dnsPayload(f.name(i));
    payload.set([i >> 8, i & 255]);
    r.push(packet({ ...q, payload }), packet({ ...back(q), at: q.at + 0.001, payload: f.answerBytes }));
  }
}

test('a name server that is used as a reflector is found, and the flooded address is not blocked', () => {
  const r = new Replay();
  ask(r, { perSec: 100, name: () => 'any.example', answerBytes: 3000 });
  assert.deepEqual(r.labels(), ['amplification_reflector']);
  const [d] = r.detections;
  assert.equal(d!.noBlock, true);
  assert.equal(d!.spoofable, true);
  assert.equal(d!.victim, '10.0.0.2');
  assert.match(d!.title, /DNS/);
  assert.match(d!.evidence[0]!.text!, /KiB a second, \d+ times what it is asked/);
});

test('a resolver that asks much, small answers, and an inside client are no reflection', () => {
  const r = new Replay();
  ask(r, { perSec: 100, name: (i) => `host${i}.example`, answerBytes: 3000 });
  ask(r, { perSec: 100, name: () => 'www.example', answerBytes: 100, src: '203.0.113.10' });
  ask(r, { perSec: 100, name: () => 'any.example', answerBytes: 3000, src: '10.0.3.3' });
  assert.deepEqual(r.labels(), []);
});

/** UDP flows of one source, so many a second for a second, that nobody answers. */
function unanswered(perSec: number, dport: (i: number) => number): Replay {
  const r = new Replay({ portScan: { enabled: false } });
  for (let i = 0; i < perSec; i++)
    r.push(
      packet({ at: i / perSec, proto: PROTO.UDP, src: '198.51.100.9', sport: 1024 + i, dport: dport(i), payload: 50 }),
    );
  r.wait(2);
  return r;
}

test('a thousand UDP flows a second without an answer are a flood within 0.8 s; a scan of ports, and a burst, are not', () => {
  const flood = unanswered(1000, () => 53);
  assert.deepEqual(flood.labels(), ['udp_flood']);
  assert.ok(flood.detections[0]!.detectedUs - T0 <= 800_000, String(flood.detections[0]!.detectedUs - T0));
  assert.deepEqual(unanswered(780, (i) => 2000 + i).labels(), [], 'many ports');
  const burst = new Replay({ portScan: { enabled: false } });
  for (let i = 0; i < 190; i++)
    burst.push(
      packet({ at: i / 1000, proto: PROTO.UDP, src: '198.51.100.9', sport: 1024 + i, dport: 53, payload: 50 }),
    );
  burst.wait(2);
  assert.deepEqual(burst.labels(), [], 'a resolver that is started anew');
});
