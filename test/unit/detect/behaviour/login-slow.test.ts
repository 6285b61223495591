import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Behaviour } from '../../../../src/detect/behaviour/index.js';
import { T0 } from '../../support/packets.js';
import { connection, Replay } from '../../support/replay.js';

const MINUTE = 60;
const HOUR = 3600;
const DAY_MS = 86_400_000;
/** What these tests are not about. */
const ONLY = { beacon: { enabled: false }, lateral: { enabled: false } };

/** A refused FTP login. */
function refuse(r: Replay, f: { at: number; src: string; dst?: string; login: string; i: number }): void {
  const talk = { at: f.at, src: f.src, dst: f.dst ?? '10.0.0.2', sport: 20_000 + f.i, dport: 21 };
  const turns = ['220 FTP\r\n', `USER ${f.login}\r\n`, '331 ?\r\n', `PASS pw-${f.login}\r\n`, '530 no\r\n'];
  r.push(...connection(talk, turns, { serverFirst: true }));
}

/** A refused SSH login: after the key exchange the service is accepted, and two refusals have one length. */
function refuseSsh(r: Replay, f: { at: number; src: string; i: number }): void {
  const talk = { at: f.at, src: f.src, dst: '10.0.0.2', sport: 20_000 + f.i, dport: 22 };
  const turns = ['SSH-2.0-x\r\n', 'SSH-2.0-OpenSSH\r\n', 1200, 1100, 60, 44, 80, 68, 120, 68];
  r.push(...connection(talk, turns));
}

test('one source that guesses every two minutes is found within hours, and blocked since its logins are read', () => {
  const r = new Replay(ONLY);
  for (let i = 0; i < 59; i++) refuse(r, { at: i * 2 * MINUTE, src: '198.51.100.9', login: `user${i}`, i });
  assert.deepEqual(r.labels(), [], 'fifty-nine are not enough');
  refuse(r, { at: 59 * 2 * MINUTE, src: '198.51.100.9', login: 'user59', i: 59 });
  assert.deepEqual(r.labels(), ['ftp_brute_force']);
  const [found] = r.detections;
  assert.equal(found!.signatureId, 1105);
  assert.equal(found!.noBlock, undefined);
  assert.match(found!.evidence[0]!.text!, /60 failed ftp logins .* within 21600 s/);
});

test('SSH guessed every ninety seconds is found within hours and blocks nobody, since an old key looks the same', () => {
  const r = new Replay(ONLY);
  for (let i = 0; i < 80; i++) refuseSsh(r, { at: i * 90, src: '198.51.100.9', i });
  assert.deepEqual(r.labels(), ['ssh_brute_force']);
  assert.equal(r.detections[0]!.noBlock, true);
});

test('programs with an old password stay quiet for a day, by the login or by what is usual', () => {
  const r = new Replay(ONLY);
  const { baselines } = r.observer as Behaviour;
  const lastMs = T0 / 1000 - DAY_MS;
  const peers = [{ address: '10.0.0.2', port: 22, proto: 6, days: 5, lastMs }];
  baselines!.restore([{ host: '10.0.3.3', firstMs: lastMs - 9 * DAY_MS, lastMs, volumes: [], peers }]);
  for (let i = 0; i < 12 * 24; i++) {
    refuse(r, { at: i * 5 * MINUTE, src: '198.51.100.9', login: 'backup', i });
    refuseSsh(r, { at: i * 5 * MINUTE + 20, src: '10.0.3.3', i });
  }
  assert.deepEqual(r.labels(), []);
});

/** Sources all over the Internet take turns, one guess every three minutes. */
function takeTurns(sources: number, n: number, address: (s: number) => string): Replay {
  const r = new Replay(ONLY);
  for (let i = 0; i < n; i++) refuse(r, { at: i * 3 * MINUTE, src: address(i % sources), login: `u${i}`, i });
  return r;
}

test('many sources that take turns at one target add up over hours; few of them, and an office, do not', () => {
  const spread = (s: number): string => `198.${s + 1}.100.9`;
  assert.deepEqual(takeTurns(30, 120, spread).labels(), ['distributed_brute_force']);
  assert.deepEqual(takeTurns(15, 120, spread).labels(), [], 'fifteen sources');
  assert.deepEqual(takeTurns(30, 60, spread).labels(), [], 'thirty people who mistype twice in three hours');
  assert.deepEqual(takeTurns(30, 120, (s) => `10.0.4.${s + 1}`).labels(), [], 'inside');
});

test('sources of one network that take turns at many targets add up over hours', () => {
  const r = new Replay(ONLY);
  for (let i = 0; i < 60; i++)
    refuse(r, { at: i * 4 * MINUTE, src: `203.0.113.${1 + (i % 6)}`, dst: `10.0.5.${1 + (i % 8)}`, login: `u${i}`, i });
  assert.deepEqual(r.labels(), ['network_brute_force']);
  assert.equal(r.detections[0]!.offender, '203.0.113.0/24');
});

test('five thousand other guessers do not make a slow one forgotten, and memory stays as it is', () => {
  const r = new Replay({ ...ONLY, maxNetworks: 64, maxTargets: 1024, maxSources: 1024 });
  for (let i = 0; i < 66; i++) {
    refuse(r, { at: i * 4 * MINUTE, src: '198.51.100.9', login: `u${i}`, i });
    for (let k = 0; k < 80; k++)
      refuse(r, { at: i * 4 * MINUTE + 1 + k, src: `100.${i}.${k}.7`, dst: `10.0.${k}.3`, login: 'x', i: k });
  }
  const found = r.detections.filter((d) => d.offender === '198.51.100.9');
  assert.ok(found.length > 0 && found[0]!.packetUs - T0 <= 66 * 4 * MINUTE * 1e6);
  assert.ok(r.observer.stats()['behaviour_sources_evicted']! > 0);
  assert.ok((found[0]!.packetUs - T0) / 1e6 < 6 * HOUR);
});
