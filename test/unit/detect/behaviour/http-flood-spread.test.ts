import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Detection } from '../../../../src/domain/detection.js';
import { TCP } from '../../../../src/domain/packet.js';
import { Visitors } from '../../../../src/detect/behaviour/visitors.js';
import { packet } from '../../support/packets.js';
import { connection, handshake, Replay } from '../../support/replay.js';

const DATA = TCP.PSH | TCP.ACK;
const DAY = 86_400;
const HELLO = Uint8Array.from([0x16, 0x03, 0x01, 0x00, 0x40, 0x01]);

const outside = (i: number): string => `203.${Math.floor(i / 250)}.113.${1 + (i % 250)}`;
const inside = (i: number): string => `10.0.${1 + Math.floor(i / 250)}.${1 + (i % 250)}`;

interface Crowd {
  at?: number;
  /** Sources, and requests of each, over so many seconds. */
  sources: number;
  each: number;
  secs: number;
  src?: (source: number) => string;
  uri?: (request: number, source: number) => string;
  dst?: string;
  dport?: number;
}

/** Every source asks on one connection of its own; they take turns, evenly over the time. */
function crowd(r: Replay, { at = 0, sources, each, secs, src = outside, uri = () => '/', ...to }: Crowd): Replay {
  const flow = (s: number, t: number) => ({ at: t, src: src(s), sport: 1024 + (s % 60_000), ...to });
  const step = secs / (sources * each);
  for (let n = 0; n < sources * each; n++) {
    const [request, s] = [Math.floor(n / sources), n % sources];
    const t = at + n * step;
    if (request === 0) r.push(...handshake(flow(s, t)));
    const payload = `GET ${uri(request, s)} HTTP/1.1\r\nHost: shop.example\r\n\r\n`;
    r.push(packet({ ...flow(s, t + 0.003), flags: DATA, payload }));
  }
  return r;
}

const told = ({ detections }: Replay): string[] => detections.map((d) => `${d.title} ${d.victim}:${d.dstPort}`);
const LOUD = ['HTTP request flood of many sources 10.0.0.2:80'];
const value = (d: Detection, name: string) => d.evidence.find((item) => item.name === name)?.value;

test('a hundred sources that ask for one page over and over are one flood, told once, and nobody is blocked', () => {
  const r = crowd(new Replay(), { sources: 100, each: 30, secs: 3 });
  assert.deepEqual(told(r), LOUD);
  const [d] = r.detections;
  assert.equal(d!.label, 'http_flood');
  assert.equal(d!.noBlock, true);
  assert.equal(d!.spoofable, false);
  assert.equal(d!.attack!.techniqueId, 'T1499.002');
  assert.deepEqual(d!.metadata?.['scope'], ['target']);
  assert.ok(Number(value(d!, 'distinct_sources')) >= 20);
  assert.equal(value(d!, 'hottest_uri'), 100);
  assert.match(d!.evidence[0]!.text!, /^\d+ requests to 10\.0\.0\.2:80 within 10 s, most by \d+ sources that repeat/);
});

test('it is told within the first second, over IPv6 too, and each port of a server is one of its own', () => {
  const start = packet({ at: 0 }).tsUs;
  const r = crowd(new Replay(), { sources: 100, each: 30, secs: 3 });
  assert.ok(r.detections[0]!.detectedUs - start < 1e6, `${(r.detections[0]!.detectedUs - start) / 1e6} s`);
  const six = { src: (s: number) => `2001:db8:${s.toString(16)}::1`, dst: 'fd77:0:0:2::10' };
  assert.deepEqual(told(crowd(new Replay(), { sources: 100, each: 30, secs: 3, ...six })), [
    'HTTP request flood of many sources fd77:0:0:2::10:80',
  ]);
  const both = crowd(new Replay(), { sources: 100, each: 4, secs: 1, ...six });
  crowd(both, { at: 3.1, sources: 100, each: 4, secs: 1, ...six, dport: 8080 });
  assert.deepEqual(told(both), [], 'too few at each port of an IPv6 host');
  const ports = crowd(new Replay(), { sources: 100, each: 30, secs: 3 });
  crowd(ports, { at: 30, sources: 100, each: 30, secs: 3, dport: 8080 });
  assert.deepEqual(told(ports), [...LOUD, 'HTTP request flood of many sources 10.0.0.2:8080']);
});

test('one that goes on is told again after realert_secs, though its sources are newcomers no more', () => {
  const options = { httpFlood: { learnSecs: 20 } };
  const r = new Replay(options);
  const wave = (from: number, secs: number): void => {
    for (let at = from; at < from + secs; at++) {
      crowd(r, { at, sources: 40, each: 5, secs: 0.9 });
      crowd(r, { at: at + 0.9, sources: 1, each: 1, secs: 0.05, src: inside, dst: outside(900) });
    }
  };
  wave(0, 70);
  assert.deepEqual(told(r), [...LOUD, ...LOUD]);
  wave(120, 30);
  assert.deepEqual(told(r), [...LOUD, ...LOUD, ...LOUD], 'a second wave');
});

/** What is quiet, and what it differs in from a flood. */
const LOOK_ALIKES: readonly [name: string, quiet: Crowd, loud: Crowd][] = [
  [
    'a release day: visitors come in crowds and ask for a page and what belongs to it',
    { sources: 1000, each: 15, secs: 4, uri: (request) => `/assets/${request}` },
    { sources: 1000, each: 15, secs: 4 },
  ],
  [
    'a release day: everybody fetches one file',
    { sources: 5000, each: 1, secs: 10, uri: () => '/release.iso' },
    { sources: 500, each: 10, secs: 3, uri: () => '/release.iso' },
  ],
  [
    'a release day: everybody looks twice or three times whether it is there',
    { sources: 2000, each: 3, secs: 10 },
    { sources: 2000, each: 8, secs: 2.4 },
  ],
  [
    'applications that each ask for something of their own',
    { sources: 200, each: 30, secs: 6, uri: (_request, s) => `/jobs/${s}` },
    { sources: 200, each: 30, secs: 6, uri: () => '/jobs' },
  ],
  ['applications that ask each second', { sources: 200, each: 30, secs: 30 }, { sources: 200, each: 30, secs: 6 }],
  [
    'fifty clients behind one address',
    { sources: 50, each: 19, secs: 10, src: () => '198.51.100.7', uri: (request) => `/${request % 6}` },
    { sources: 50, each: 32, secs: 6, uri: () => '/' },
  ],
  [
    'a video: a list that is asked for every two seconds, and its parts',
    { sources: 300, each: 20, secs: 20, uri: (request) => (request % 2 === 0 ? '/list.m3u8' : `/part-${request}`) },
    { sources: 300, each: 20, secs: 6, uri: () => '/list.m3u8' },
  ],
];

for (const [name, quiet, loud] of LOOK_ALIKES)
  test(`${name}: no flood of many sources`, () => {
    assert.deepEqual(told(crowd(new Replay(), quiet)), []);
    assert.deepEqual(told(crowd(new Replay(), loud)), LOUD, 'the control');
  });

test('load tests of a few hosts beside visitors are no flood of many sources, each may be one of its own', () => {
  const visitors: Crowd = { sources: 60, each: 8, secs: 10, src: inside, uri: (request) => `/page/${request}` };
  const alone = { httpFlood: { requests: 100_000 } };
  const mixed = (hosts: number): string[] => {
    const r = new Replay(alone);
    crowd(r, visitors);
    return told(crowd(r, { at: 10.1, sources: hosts, each: 9000 / hosts, secs: 9 }));
  };
  assert.deepEqual(mixed(1), []);
  assert.deepEqual(mixed(3), []);
  assert.deepEqual(mixed(30), LOUD, 'the control: thirty hosts');
  const beside = new Replay(alone);
  crowd(beside, { sources: 40, each: 6, secs: 2, src: inside });
  assert.deepEqual(
    told(crowd(beside, { at: 2.1, sources: 3, each: 1000, secs: 6 })),
    [],
    'hasty visitors beside three',
  );
  assert.deepEqual(told(crowd(new Replay(alone), { sources: 14, each: 200, secs: 19 })), [], 'fourteen hosts');
  assert.deepEqual(
    told(crowd(new Replay(), { sources: 1, each: 3000, secs: 3 })),
    ['HTTP request flood 10.0.0.2:80'],
    'one host',
  );
});

test('over TLS connections count: a hundred sources that open ever new ones; not browsers that open six', () => {
  const open = (sources: number, each: number, first: Uint8Array): Replay => {
    const r = new Replay();
    for (let n = 0; n < sources * each; n++) {
      const f = { at: (n * 5) / (sources * each), src: outside(n % sources), sport: 2000 + Math.floor(n / sources) };
      r.push(...handshake({ ...f, dport: 443 }));
      r.push(packet({ ...f, at: f.at + 0.003, dport: 443, flags: DATA, payload: first }));
    }
    return r;
  };
  const flood = open(100, 100, HELLO);
  assert.deepEqual(told(flood), ['HTTP request flood of many sources 10.0.0.2:443']);
  assert.match(flood.detections[0]!.evidence[0]!.text!, /^\d+ TLS connections to 10\.0\.0\.2:443/);
  assert.equal(value(flood.detections[0]!, 'threshold'), 2000);
  assert.equal(value(flood.detections[0]!, 'hottest_uri'), undefined, 'nobody can read it');
  assert.deepEqual(told(open(1500, 6, HELLO)), []);
  assert.deepEqual(told(open(100, 100, Uint8Array.from([0x17, 0x03, 0x03, 0, 2]))), [], 'no handshake');
});

test('once a server is known, what is usual there is quiet, and patient floods of newcomers are told', () => {
  const options = { httpFlood: { learnSecs: 60 } };
  const polled = (perSec: number, src = outside, learned = 5): Replay => {
    const r = new Replay(options);
    for (let t = 0; t < 120; t += 10) crowd(r, { at: t, sources: 100, each: learned, secs: 10, src: inside });
    return crowd(r, { at: 120, sources: 100, each: 20 * perSec, secs: 20, src });
  };
  const patient = polled(2);
  assert.deepEqual(told(patient), LOUD);
  const usual = Number(patient.detections[0]!.evidence[0]!.usual);
  assert.ok(usual > 450 && usual < 650, `${usual} requests`);
  assert.match(patient.detections[0]!.evidence[0]!.text!, /usual: at most \d+$/);
  assert.equal(value(patient.detections[0]!, 'newcomers'), value(patient.detections[0]!, 'distinct_sources'));
  assert.deepEqual(told(polled(2, outside, 20)), [], 'four times as much was usual');
  assert.deepEqual(told(polled(5, inside)), [], 'its own users try again and again');
  assert.deepEqual(told(polled(5)), LOUD, 'the control: others do');
});

test('a flood does not teach what is usual', () => {
  const r = new Replay({ httpFlood: { learnSecs: 60 }, realertSecs: 1 });
  for (let t = 0; t < 120; t += 10) crowd(r, { at: t, sources: 50, each: 6, secs: 10, src: inside });
  crowd(r, { at: 120, sources: 100, each: 200, secs: 20 });
  const usual = r.detections.map((d) => d.evidence[0]!.usual);
  assert.ok(usual.length > 3);
  assert.ok(usual.every((n) => n === usual[0]) && Number(usual[0]) < 450, usual.join());
});

test('inside hosts that contact the server day by day flood nothing', () => {
  const run = (isLearned: boolean): string[] => {
    const r = new Replay({ baseline: { enabled: isLearned }, httpFlood: { learnSecs: 7 * DAY } });
    for (let day = 0; day < 4; day++)
      for (let s = 0; s < 40; s++)
        r.push(...connection({ at: day * DAY + s, src: inside(s), sport: 3000 + day }, ['GET / HTTP/1.1\r\n\r\n', 'HTTP/1.1 200 OK\r\n\r\n']));
    return told(crowd(r, { at: 4 * DAY, sources: 40, each: 30, secs: 3, src: inside }));
  }; // prettier-ignore
  assert.deepEqual(run(true), []);
  assert.deepEqual(run(false), LOUD, 'the control: nothing was learned');
});

test('servers and visitors beyond their maximum are given up, and counted', () => {
  const r = new Replay({ maxTargets: 8 });
  for (let i = 0; i < 40; i++) crowd(r, { at: i, sources: 1, each: 260, secs: 0.9, dst: outside(i), src: inside });
  assert.equal(r.observer.stats!()['http_servers_evicted'], 32);
  assert.equal(r.observer.stats!()['http_visitors_cut_short'], 0);
  const visitors = new Visitors(60);
  visitors.note(-7, 1e6);
  assert.equal(visitors.isKnown(-7), false, 'it came in this turn');
  visitors.note(1, 62e6);
  assert.equal(visitors.isKnown(-7), true);
  assert.equal(visitors.isKnown(-8), false);
  assert.equal(visitors.cutShort, 0);
  for (let i = 0; i < 300_000; i++) visitors.note(Math.imul(i, 0x9e3779b1), 63e6);
  assert.equal(visitors.cutShort, 2);
  assert.equal(visitors.isKnown(-7), false, 'forgotten early');
});
