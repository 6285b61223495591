import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { busSocketPath, openBusServer, type BusServer, type ResponderReport } from '../../../src/bus/index.js';
import type { Decision } from '../../../src/domain/decision.js';
import { nodeArgs } from '../../support/program.js';
import { INSIDE4, OUT4, ROUTER4, skipReason, TestNet } from './net.js';
import { block, until } from './setup.js';

const [A, B] = OUT4;
const MOST_A_MINUTE = 30;

/** The real daemon in the router's namespace; this test is the server it dials, and a hostile one. */
describe('a responder whose server has been taken over', { skip: skipReason, timeout: 600_000 }, () => {
  const dir = mkdtempSync(join(tmpdir(), 'enf-hostile-'));
  const told: ResponderReport[] = [];
  let net: TestNet;
  let bus: BusServer;
  let daemon: ChildProcess;
  let name = '';

  before(async () => {
    net = await new TestNet().up();
    bus = await openBusServer(
      { sensorPath: busSocketPath(dir, 'sensor'), responderPath: busSocketPath(dir, 'responder') },
      {
        onConnect: (peer) => (name = peer.name),
        onSensor: () => undefined,
        onResponder: (message) => told.push(message),
      },
    );
    const config = `name: box
mode: enforce
data_dir: ${dir}
runtime_dir: ${dir}
enforce:
  backend: nftables
  log_blocked: false
  state_dir: ${dir}/responder
  guard:
    max_changes_per_minute: ${MOST_A_MINUTE}
`;
    writeFileSync(join(dir, 'portcullis.yaml'), config);
    const command = [
      process.execPath,
      ...nodeArgs('src/cli/main.ts'),
      'responder',
      '--config',
      join(dir, 'portcullis.yaml'),
    ];
    daemon = spawn('ip', ['netns', 'exec', net.router, ...command], { stdio: ['ignore', 'ignore', 'inherit'] });
    await until(() => name !== '');
  });
  after(async () => {
    daemon.kill('SIGKILL');
    await bus.close();
    net.down();
    rmSync(dir, { recursive: true, force: true });
  });

  const reportOf = (id: string) =>
    until(
      () => told.flatMap((m) => (m.type === 'report' ? m.reports : [])).findLast((r) => r.decisionId === id),
      10_000,
    );
  const decide = (decision: Decision): boolean => bus.toResponder(name, { type: 'decide', decision });
  /** The ruleset without what counts and runs by itself. */
  const ruleset = (): string =>
    net
      .nft('list', 'table', 'inet', 'portcullis')
      .replace(/counter packets \d+ bytes \d+|packets \d+ bytes \d+| expires [0-9a-z]+/g, '');

  const REFUSED: [string, Decision][] = [
    ['everything in IPv4', block('0.0.0.0/0')],
    ['everything in IPv6', block('::/0')],
    ['half of the Internet', block('0.0.0.0/1')],
    ['the box itself', block(ROUTER4)],
    ['the box itself as a mapped address', block(`::ffff:${ROUTER4}`)],
    ['the network of the box', block('10.50.1.0/24')],
    ['loopback', block('127.0.0.1')],
    ['multicast', block('224.0.0.0/8')],
    ['a text that is nft syntax', block('203.0.113.7 } ; flush ruleset')],
    ['a duration without an end by a policy', block(A, { durationSecs: 0, expiresMs: 0 })],
    ['a duration of a thousand years', block(A, { durationSecs: 3e10, expiresMs: Date.now() + 3e13 })],
    ['a port that is none', block(A, { scope: 'service', proto: 6, port: 70_000 })],
    ['a service without its port', block(A, { scope: 'service', proto: 6 })],
    ['a flow without its other end', block(A, { scope: 'flow', proto: 6, port: 80 })],
    ['ports of a protocol that has none', block(A, { scope: 'service', proto: 1, port: 80 })],
    ['a quarantine of a whole network', block('203.0.113.0/24', { traffic: 'both' })],
    ['a prefix that would need thousands of elements', block('2001:db8::/40')],
  ];

  it('refuses each with a reason, records it, and changes nothing', async () => {
    const before = ruleset();
    for (const [what, decision] of REFUSED) {
      decide(decision);
      const report = await reportOf(decision.id);
      assert.equal(report.enforcement, 'rejected', what);
      assert.ok((report.error ?? '').length > 5, `${what}: no reason`);
    }
    assert.equal(ruleset(), before);
    assert.ok(await net.out.isAnswered(ROUTER4, 80, A));
  });

  it('drops messages that are not in the contract, and goes on', async () => {
    const before = ruleset();
    const raw = bus as unknown as { toResponder(name: string, message: object): boolean };
    for (const message of [
      { type: 'decide', decision: { ...block(A), durationSecs: -5 } },
      { type: 'decide', decision: { ...block(A), action: 'reboot' } },
      { type: 'decide' },
      { type: 'nft', script: 'flush ruleset' },
      { type: 'allow', entries: [{ value: '0.0.0.0/0' }] },
      { type: 'sync', decisions: 'all' },
    ]) {
      assert.ok(raw.toResponder(name, message));
    }
    const good = block(B);
    decide(good);
    assert.equal((await reportOf(good.id)).enforcement, 'applied');
    bus.toResponder(name, { type: 'release', decisionId: good.id, reason: 'test' });
    await until(() => ruleset() === before);
  });

  it('does not let the allowlist switch enforcement off', async () => {
    const entry = { id: 'w', value: '0.0.0.0/0', owner: 'x', comment: 'x', createdMs: 0, expiresMs: 0 };
    bus.toResponder(name, { type: 'allow', entries: [entry] });
    const decision = block(A, { origin: 'operator' });
    decide(decision);
    assert.equal((await reportOf(decision.id)).enforcement, 'applied');
    assert.equal(await net.out.canPing(INSIDE4, 80, A), false);
    assert.ok(told.some((m) => m.type === 'incident' && m.code === 'enforce.allow_too_wide'));
    bus.toResponder(name, { type: 'release', decisionId: decision.id, reason: 'test' });
  });

  it('counts only, and says so critically, when decisions come faster than its own limit; operators still block', async () => {
    const flood = Array.from({ length: 3 * MOST_A_MINUTE }, (_, i) => block(`198.18.7.${i + 1}`));
    for (const decision of flood) decide(decision);
    const reports = [];
    for (const { id } of flood) reports.push(await reportOf(id));
    const real = reports.filter((r) => r.enforcement === 'applied' && !r.simulated).length;
    assert.ok(real > 0 && real <= MOST_A_MINUTE, `${real} of ${flood.length} in force`);
    assert.equal(net.nft('list', 'set', 'inet', 'portcullis', 'block4_32').match(/198\.18\.7\./g)?.length, real);
    const tripped = told.filter((m) => m.type === 'incident' && m.code === 'enforce.rate_tripped');
    assert.equal(tripped.length, 1);
    assert.equal(tripped[0]?.type === 'incident' && tripped[0].severity, 'critical');
    const byHand = block(A, { origin: 'operator' });
    decide(byHand);
    assert.equal((await reportOf(byHand.id)).simulated, false);
    assert.equal(await net.out.canPing(INSIDE4, 80, A), false);
  });

  it('takes a long list in parts, and what is decided meanwhile wins over the list', async () => {
    const list = Array.from({ length: 500 }, (_, i) => block(`100.64.${i >> 8}.${i & 255}`, { origin: 'feed' }));
    const newer = block('198.51.100.9', { origin: 'operator' });
    const part = (from: number, last: boolean): void => {
      const decisions = list.slice(from, from + 250);
      bus.toResponder(name, { type: 'sync', decisions, syncId: 'list-1', last });
    };
    part(0, false);
    decide(newer);
    bus.toResponder(name, { type: 'release', decisionId: list[300]?.id ?? '', reason: 'released meanwhile' });
    part(250, true);
    await until(() => told.filter((m) => m.type === 'synced' && m.syncId === 'list-1').length === 2);
    const feed = (): string => net.nft('list', 'set', 'inet', 'portcullis', 'feed4_32');
    await until(() => feed().match(/100\.64\./g)?.length === 499);
    assert.ok(!feed().includes('100.64.1.44 '), 'what was released while the list came in stays out');
    await until(() => net.nft('list', 'set', 'inet', 'portcullis', 'block4_32').includes('198.51.100.9'));
    assert.ok(
      !net.nft('list', 'set', 'inet', 'portcullis', 'block4_32').includes('198.18.7.'),
      'not in the list: lifted',
    );
  });
});
