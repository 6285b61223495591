import assert from 'node:assert/strict';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Decision } from '../../../src/domain/decision.js';
import { flushAll, isBlockingAgain } from '../../../src/enforce/index.js';
import { nodeArgs } from '../../support/program.js';
import { INSIDE4, OUT4, skipReason, TestNet } from './net.js';
import { block, startResponder, until } from './setup.js';

const [A] = OUT4;

/** The addresses in a set, as the kernel has them. */
function inKernel(netns: string, set: string): Set<string> {
  const text = execFileSync('ip', ['netns', 'exec', netns, 'nft', 'list', 'set', 'inet', 'portcullis', set], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  const elements = /elements = \{([^}]*)\}/.exec(text)?.[1] ?? '';
  return new Set(elements.match(/\d+\.\d+\.\d+\.\d+/g) ?? []);
}

class Child {
  readonly process: ChildProcess;
  readonly lines: Record<string, unknown>[] = [];

  constructor(netns: string, dir: string) {
    const program = nodeArgs('test/integration/enforce/responder-child.ts');
    this.process = spawn(process.execPath, [...program, netns, dir], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.process.stdin!.on('error', () => undefined);
    createInterface({ input: this.process.stdout! }).on('line', (line) =>
      this.lines.push(JSON.parse(line) as Record<string, unknown>),
    );
  }

  async said(key: string): Promise<unknown> {
    return until(() => this.lines.find((l) => key in l)?.[key], 20_000);
  }

  send(message: object): void {
    this.process.stdin!.write(`${JSON.stringify(message)}\n`);
  }

  async kill(): Promise<void> {
    const gone = new Promise((resolve) => this.process.once('exit', resolve));
    this.process.kill('SIGKILL');
    await gone;
  }
}

describe('blocks outlive the responder', { skip: skipReason, timeout: 600_000 }, () => {
  let net: TestNet;
  before(async () => {
    net = new TestNet();
    await net.up();
  });
  after(() => net.down());

  it('converges to the wanted state after SIGKILL at random moments', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'enf-kill-'));
    const wanted = new Map<string, Decision>();
    let serial = 0;
    let seed = 20_261_121;
    const random = (n: number): number => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return Math.floor((seed / 2 ** 32) * n);
    };
    try {
      for (let round = 0; round < 6; round++) {
        const child = new Child(net.router, dir);
        await child.said('started');
        const survivors = inKernel(net.router, 'block4_32');
        for (const d of wanted.values())
          assert.ok(survivors.has(d.value), `${d.value} was restored from the journal alone`);
        child.send({ sync: [...wanted.values()] });
        await child.said('synced');
        assert.deepEqual(
          [...inKernel(net.router, 'block4_32')].sort(),
          [...wanted.values()].map((d) => d.value).sort(),
        );
        const attempts: Decision[] = [];
        for (let i = 0; i < 150; i++) {
          const d = block(`198.18.${serial >> 8}.${serial++ & 255}`, { forMs: 600_000 });
          attempts.push(d);
          child.send({ decide: d });
          if (i % 5 === 4) {
            const old = [...wanted.keys()][random(wanted.size)];
            if (old !== undefined && wanted.delete(old)) child.send({ release: old });
          }
        }
        const told = (): number => child.lines.filter((l) => 'report' in l).length;
        const moment = random(150);
        await until(() => told() >= moment, 30_000);
        await child.kill();
        const applied = new Set(
          child.lines.flatMap((l) => {
            const r = l['report'] as { decisionId: string; enforcement: string } | undefined;
            return r?.enforcement === 'applied' ? [r.decisionId] : [];
          }),
        );
        for (const d of attempts) if (applied.has(d.id)) wanted.set(d.id, d);
        assert.equal(
          child.lines.some((l) => 'incident' in l),
          false,
        );
      }
      assert.ok(wanted.size > 100, `${wanted.size} decisions survived`);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });

  it('keeps blocking while the responder is dead, and restores with the server away', async () => {
    const t = await startResponder(net.router, { on_stop: 'keep' });
    t.responder.decide(block(A));
    await t.responder.idle();
    await t.responder.stop();
    assert.equal(await net.out.canPing(INSIDE4, 80, A), false);
    net.nft('delete', 'table', 'inet', 'portcullis');
    assert.ok(await net.out.isAnswered(INSIDE4, 80, A), 'control: without the table it passes');
    const again = await startResponder(net.router, { state_dir: t.dir, on_stop: 'flush' });
    assert.equal(await net.out.canPing(INSIDE4, 80, A), false);
    await again.end();
  });

  it('has every block in the kernel when it says that it runs, after a reboot: no table, no address, no route yet', async () => {
    const t = await startResponder(net.router, { on_stop: 'keep' });
    t.responder.decide(block(A));
    t.responder.decide(block('198.51.100.0/24'));
    await t.responder.idle();
    await t.responder.stop();
    const fresh = `enf-boot-${process.pid}`;
    execFileSync('ip', ['netns', 'add', fresh]);
    try {
      const again = await startResponder(fresh, { state_dir: t.dir, on_stop: 'flush' });
      assert.deepEqual([...inKernel(fresh, 'block4_32')], [A]);
      assert.deepEqual([...inKernel(fresh, 'block4_24')], ['198.51.100.0']);
      await again.end();
    } finally {
      execFileSync('ip', ['netns', 'delete', fresh]);
      net.nft('flush', 'ruleset');
    }
  });

  it('does not restore what has ended meanwhile, also after the wall clock jumped', async () => {
    const t = await startResponder(net.router, { on_stop: 'keep' });
    t.responder.decide(block(A, { forMs: 3_600_000 }));
    await t.responder.idle();
    await t.responder.stop();
    const clock = {
      monoMs: () => performance.now(),
      wallMs: () => Date.now() + 2 * 3_600_000,
      us: () => Date.now() * 1000,
    };
    const later = await startResponder(net.router, { state_dir: t.dir, on_stop: 'flush' }, { clock });
    assert.equal(later.responder.state().desired, 0);
    assert.ok(await net.out.isAnswered(INSIDE4, 80, A));
    await later.end();
  });

  it('restores 100,000 blocks at start', async (context) => {
    const t = await startResponder(net.router, { on_stop: 'keep' });
    const nowMs = Date.now();
    const make = (i: number): Decision =>
      block(`100.${64 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`, {
        origin: 'feed',
        forMs: 86_400_000,
        createdMs: nowMs,
      });
    const loadMs = performance.now();
    await t.responder.sync(Array.from({ length: 100_000 }, (_, i) => make(i)));
    await t.responder.idle();
    const loaded = performance.now() - loadMs;
    assert.equal(t.responder.state().enforced, 100_000);
    await t.responder.stop();
    const startMs = performance.now();
    const again = await startResponder(net.router, { state_dir: t.dir, on_stop: 'flush' });
    const restored = performance.now() - startMs;
    assert.equal(again.responder.state().enforced, 100_000);
    assert.equal(inKernel(net.router, 'feed4_32').size, 100_000);
    await sleep(1500);
    assert.deepEqual(
      [again.incidents, again.responder.state().stats['decisions_rebuilds']],
      [[], 1],
      'not taken for a change by others',
    );
    context.diagnostic(`loaded in ${Math.round(loaded)} ms, restored in ${Math.round(restored)} ms`);
    await again.end();
  });

  it('lifts everything by break-glass with responder and server dead, and nothing comes back', async () => {
    const t = await startResponder(net.router, { on_stop: 'keep' });
    const old = block(A);
    t.responder.decide(old);
    await t.responder.idle();
    await t.responder.stop();
    assert.equal(await net.out.canPing(INSIDE4, 80, A), false);
    const where = { state_dir: t.dir, table: 'portcullis', bridge: false };
    assert.deepEqual(await flushAll(where, { netns: net.router }), { removed: true, known: true, marked: true });
    assert.equal(await isBlockingAgain(where, { netns: net.router }), false);
    assert.ok(await net.out.isAnswered(INSIDE4, 80, A));
    const again = await startResponder(net.router, { state_dir: t.dir, on_stop: 'flush' });
    await again.responder.sync([old]);
    assert.equal((await again.reportOf(old.id)).enforcement, 'revoked');
    assert.ok(await net.out.isAnswered(INSIDE4, 80, A));
    again.responder.decide(block(A));
    await again.responder.idle();
    assert.equal(await net.out.canPing(INSIDE4, 80, A), false, 'new decisions are enforced');
    assert.equal(await isBlockingAgain(where, { netns: net.router }), true, 'and told from a flush that held');
    await again.end();
  });

  it('lifts everything when the folder cannot be marked, as on a full disk, and says that it is not', async () => {
    const t = await startResponder(net.router, { on_stop: 'keep' });
    t.responder.decide(block(A));
    await t.responder.idle();
    await t.responder.stop();
    assert.equal(await net.out.canPing(INSIDE4, 80, A), false);
    mkdirSync(join(t.dir, 'break-glass'));
    const where = { state_dir: t.dir, table: 'portcullis', bridge: false };
    assert.deepEqual(await flushAll(where, { netns: net.router }), { removed: true, known: true, marked: false });
    assert.ok(await net.out.isAnswered(INSIDE4, 80, A));
  });

  it('takes break-glass for what it is while it runs, and does not heal it away', async () => {
    const t = await startResponder(net.router, { on_stop: 'flush' });
    const old = block(A);
    t.responder.decide(old);
    await t.responder.idle();
    await flushAll({ state_dir: t.dir, table: 'portcullis', bridge: false }, { netns: net.router });
    await t.reportOf(old.id, 'revoked');
    await t.responder.idle();
    await sleep(1200);
    assert.ok(await net.out.isAnswered(INSIDE4, 80, A));
    assert.equal(t.responder.state().desired, 0);
    await t.end();
  });
});
