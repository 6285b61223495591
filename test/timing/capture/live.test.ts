import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFileSource, openPcapWriter } from '../../../src/capture/index.js';
import { createHotPath } from '../../../src/cli/bench/pipeline.js';
import { Traffic } from '../../../src/cli/bench/traffic.js';
import { LINK } from '../../../src/domain/packet.js';
import { Child, type CaptureReport, type Script } from './child.js';
import { cannotRun, ip, Wire } from './netns.js';

const skip = cannotRun();
const AFPACKET = { kind: 'afpacket', interface: 'cap0' };
/** libpcap keeps 64 KiB for each packet: room for 2,000, so that none is lost while the machine is busy. */
const CAP = { kind: 'cap', interface: 'cap0', bufferMiB: 128 };

/** Writes what the sender sends into a file, and reads that. @returns how many flows it holds. */
async function flowsOfFile(path: string): Promise<number> {
  const traffic = new Traffic({ concurrency: 50, withPayload: true, gapUs: 1, startUs: 1e15 });
  const block = traffic.createBlock(1000);
  traffic.fill(block);
  const writer = openPcapWriter(path, LINK.ETHERNET);
  for (let i = 0; i < block.count; i++) writer.write(block, i);
  writer.close();
  const hot = createHotPath({});
  const source = await openFileSource(path);
  await source.run((b) => hot.onBlock(b), new AbortController().signal);
  source.close();
  return hot.flows.stats().flows_created!;
}

async function start(netns: string, script: Script, options: object): Promise<Child> {
  const child = new Child(netns, script, options);
  assert.deepEqual(await child.next(), { ready: true });
  return child;
}

describe('live capture over veth', { skip }, () => {
  let wire: Wire;
  const children: Child[] = [];
  const capture = async (options: object, netns = wire.to): Promise<Child> => {
    const child = await start(netns, 'capture-child.ts', options);
    children.push(child);
    return child;
  };
  const sender = async (options: object = {}): Promise<Child> => {
    const child = await start(wire.from, 'send-child.ts', options);
    children.push(child);
    return child;
  };
  const finish = async (): Promise<void> => {
    await Promise.all(children.splice(0).map((child) => child.stop()));
  };

  before(() => {
    wire = new Wire('live');
  });
  after(async () => {
    await finish();
    wire.remove();
  });

  for (const options of [AFPACKET, CAP]) {
    it(`${options.kind} counts every packet and the same flows as were sent`, async () => {
      const seen = await capture(options);
      const send = await sender();
      await send.ask('send 1000 10000');
      const report = await seen.until((r) => r.packets >= 1000);
      await send.ask('send 1000 10000');
      const all = await seen.until((r) => r.packets >= 2000);
      assert.deepEqual([all.packets, all.kernelDrops, all.linkType], [2000, 0, LINK.ETHERNET]);
      assert.ok(report.flows > 50 && report.flows < 1000, `${report.flows} flows`);
      await finish();
    });
  }

  it('afpacket and cap see the same flows', async () => {
    const sources = [await capture(AFPACKET), await capture(CAP)];
    const send = await sender();
    await send.ask('send 1000 5000');
    const [a, b] = await Promise.all(sources.map((s) => s.until((r) => r.packets >= 1000)));
    assert.deepEqual([a!.packets, a!.flows], [b!.packets, b!.flows]);
    await finish();
  });

  it('a capture file of the same packets gives the same flows', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'portcullis-live-'));
    try {
      const path = join(dir, 'traffic.pcap');
      const expected = await flowsOfFile(path);
      const seen = await capture(AFPACKET);
      const send = await sender();
      await send.ask('send 1000 5000');
      const report = await seen.until((r) => r.packets === 1000);
      assert.equal(report.flows, expected);
      await finish();
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it('every packet is either delivered or counted as dropped while the consumer stalls', async () => {
    const seen = await capture({ ...AFPACKET, ringMiB: 1, blockKiB: 64 });
    await seen.ask('stall 1500');
    const send = await sender();
    await send.ask('send 20000 40000');
    const report = await seen.until((r) => r.packets + r.kernelDrops >= 20_000);
    assert.equal(report.packets + report.kernelDrops, 20_000);
    assert.ok(report.kernelDrops > 10_000, `${report.kernelDrops} drops`);
    await send.ask('send 1000 10000');
    const later = await seen.until((r) => r.packets + r.kernelDrops >= 21_000);
    assert.equal(later.packets, report.packets + 1000);
    await finish();
  });

  it('a lone packet reaches the consumer within two milliseconds, median', async () => {
    const seen = await capture(AFPACKET);
    const send = await sender();
    await send.ask('send 100 100');
    const report: CaptureReport = await seen.until((r) => r.packets === 100);
    assert.ok(report.delayUs > 0 && report.delayUs < 2000, `${report.delayUs} us`);
    await finish();
  });

  it('the block timeout decides how long a lone packet waits', async () => {
    const seen = await capture({ ...AFPACKET, blockTimeoutMs: 50, wakeEachBelowPps: 0 });
    const send = await sender();
    // 77 ms apart, no multiple of the timeout: the packets fall on all times between two of its ends.
    await send.ask('send 20 13');
    const { delayUs } = await seen.until((r) => r.packets === 20);
    assert.ok(delayUs > 5000, `${delayUs} us`);
    await finish();
  });

  it('a lone packet does not wait for its block', async () => {
    const seen = await capture({ ...AFPACKET, blockTimeoutMs: 1000 });
    const send = await sender();
    await send.ask('send 20 13');
    const { delayUs } = await seen.until((r) => r.packets === 20);
    assert.ok(delayUs < 400_000, `${delayUs} us`);
    await finish();
  });

  it('every packet is handed over once and in order while the doorbell falls silent and rings again', async () => {
    const seen = await capture({ ...AFPACKET, wakeEachBelowPps: 4000 });
    const send = await sender({ numbered: true });
    let sent = 0;
    const round = async (pps: number): Promise<void> => {
      await send.ask(`send 1000 ${pps}`);
      sent += 1000;
    };
    for (let switches = 1; switches <= 5; switches++) {
      let report = await seen.ask<CaptureReport>('report');
      for (const { rung } = report; report.rung === rung; report = await seen.ask<CaptureReport>('report')) {
        await round(1500);
      }
      while (report.silenced < switches) {
        await round(50_000);
        report = await seen.ask<CaptureReport>('report');
      }
    }
    const report = await seen.until((r) => r.packets >= sent);
    assert.deepEqual([report.packets, report.breaks, report.kernelDrops], [sent, 0, 0]);
    await finish();
  });

  for (const fault of ['repeat', 'swap', 'skip']) {
    it(`the control: a sender's ${fault} is found`, async () => {
      const seen = await capture(AFPACKET);
      const send = await sender({ numbered: true, fault });
      await send.ask('send 1000 10000');
      const report = await seen.until((r) => r.packets >= 1000);
      assert.ok(report.breaks > 0);
      await finish();
    });
  }

  it('VLAN tags that the kernel strips reach the decoder', async () => {
    const seen = await capture(AFPACKET);
    const send = await sender({ vlan: 42 });
    await send.ask('send 100 5000');
    const report = await seen.until((r) => r.packets === 100);
    assert.deepEqual(report.vlans, [42]);
    assert.ok(report.flows > 10);
    await finish();
  });

  it('the snapshot length cuts packets and keeps their flows', async () => {
    const seen = await capture({ ...AFPACKET, snapLen: 64 });
    const send = await sender();
    await send.ask('send 1000 5000');
    const whole = await capture(AFPACKET);
    await send.ask('send 1000 5000');
    const cut = await seen.until((r) => r.packets === 2000);
    const full = await whole.until((r) => r.packets === 1000);
    assert.ok(cut.flows >= full.flows);
    await finish();
  });

  it('two processes of a fanout group share the packets, and no flow is split', async () => {
    const options = { ...AFPACKET, fanout: { group: 7 } };
    const both = [await capture(options), await capture(options)];
    const alone = await capture(AFPACKET);
    const send = await sender();
    await send.ask('send 1000 5000');
    const reference = await alone.until((r) => r.packets === 1000);
    const sum = (reports: CaptureReport[], key: 'packets' | 'flows'): number => reports.reduce((n, r) => n + r[key], 0);
    let reports: CaptureReport[] = [];
    for (let tries = 0; tries < 200 && sum(reports, 'packets') < 1000; tries++) {
      reports = await Promise.all(both.map((child) => child.ask<CaptureReport>('report')));
    }
    assert.equal(sum(reports, 'packets'), 1000);
    assert.equal(sum(reports, 'flows'), reference.flows);
    assert.ok(
      reports.every((r) => r.packets > 50),
      JSON.stringify(reports),
    );
    await finish();
  });

  for (const kind of ['afpacket', 'cap']) {
    it(`${kind} survives an interface that goes down, and one that is removed and comes back`, async () => {
      const seen = await capture({ kind, interface: 'cap0' });
      let send = await sender();
      await send.ask('send 100 5000');
      await seen.until((r) => r.packets === 100);

      ip('-n', wire.to, 'link', 'set', 'cap0', 'down');
      ip('-n', wire.to, 'link', 'set', 'cap0', 'up');
      await seen.until((r) => r.reopens === 1);
      await send.ask('send 100 5000');
      await seen.until((r) => r.packets === 200);
      await send.stop();

      wire.disconnect();
      wire.connect();
      await seen.until((r) => r.reopens === 2);
      send = await sender();
      await send.ask('send 100 5000');
      const report = await seen.until((r) => r.packets === 300);
      assert.equal(report.kernelDrops, 0);
      await finish();
    });
  }

  it('loopback traffic is seen once', async () => {
    ip('-n', wire.to, 'link', 'set', 'lo', 'up');
    const seen = await capture({ kind: 'afpacket', interface: 'lo' });
    ip('netns', 'exec', wire.to, 'ping', '-q', '-c', '5', '-i', '0.05', '127.0.0.1');
    const report = await seen.until((r) => r.packets >= 10);
    assert.deepEqual([report.packets, report.flows], [10, 1]);
    await finish();
  });

  it('interfaces without a link header are read as raw IP', async () => {
    const tun = await start(wire.to, 'tun-child.ts', {});
    ip('-n', wire.to, 'addr', 'add', '10.98.0.1/30', 'dev', 'tun0');
    ip('netns', 'exec', wire.to, 'sysctl', '-qw', 'net.ipv6.conf.tun0.disable_ipv6=1');
    ip('-n', wire.to, 'link', 'set', 'tun0', 'up');
    const seen = await capture({ kind: 'afpacket', interface: 'tun0' });
    assert.throws(() => ip('netns', 'exec', wire.to, 'ping', '-q', '-c', '3', '-i', '0.1', '-W', '0.2', '10.98.0.2'));
    const report = await seen.until((r) => r.packets >= 3);
    assert.deepEqual([report.linkType, report.flows], [LINK.RAW, 1]);
    await finish();
    await tun.stop();
  });
});

describe('capture that cannot start', { skip }, () => {
  let wire: Wire;
  before(() => {
    wire = new Wire('deny');
  });
  after(() => wire.remove());

  const refusal = async (options: object, prefix: readonly string[] = []): Promise<Record<string, string>> => {
    const child = new Child(wire.to, 'capture-child.ts', options, prefix);
    const answer = await child.next<Record<string, string>>();
    await child.stop();
    return answer;
  };

  for (const kind of ['afpacket', 'cap']) {
    it(`${kind} names the interfaces there are when asked for another`, async () => {
      const { code, message, fix, kind: whose } = await refusal({ kind, interface: 'eth99' });
      assert.deepEqual([code, whose], ['capture.no_interface', 'user']);
      assert.match(message!, /"eth99"/);
      assert.match(fix!, /cap0/);
    });

    it(`${kind} says which capability is missing and how to give it`, async () => {
      const without = ['setpriv', '--bounding-set=-net_raw,-net_admin', '--inh-caps=-net_raw,-net_admin'];
      const { code, message, fix } = await refusal({ kind, interface: 'cap0' }, without);
      assert.equal(code, 'capture.no_rights');
      assert.match(message!, /CAP_NET_RAW/);
      assert.match(fix!, /setcap/);
    });
  }

  it('cap refuses a filter with libpcap’s reason', async () => {
    const { code, message } = await refusal({ kind: 'cap', interface: 'cap0', filter: 'no such filter' });
    assert.equal(code, 'capture.bad_filter');
    assert.match(message!, /syntax error|parse/i);
  });
});
