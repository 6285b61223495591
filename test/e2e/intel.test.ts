import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import type { IntelMatch, IntelSummary } from '../../src/contract/http.js';
import type { Alert } from '../../src/domain/alert.js';
import { Box } from '../lab/box/box.js';
import { siemLine } from '../lab/box/cef.js';
import { connects, isShut, kernelElement } from '../lab/box/kernel.js';
import { openLab, type Lab } from '../lab/lab.js';
import { ATTACKER_ADDRESSES } from '../lab/topology.js';
import { waitFor } from '../lab/wait.js';
import { untilBlocked } from './support.js';

const [BLOCKED = '', WATCHED = '', UNLISTED = ''] = ATTACKER_ADDRESSES;
/** Lab addresses are private, which feeds about the internet may not name. */
const FEED = { kind: 'list', private_addresses: true, confidence: 0.9 };

let lab: Lab;
let box: Box;
const feedFile = (name: string) => join(lab.dir, 'feeds', `${name}.txt`);
const reachesWeb = (from: string) => connects(lab.hosts.attacker, from, lab.hosts.victim.ip4, 80);
const inFeedSet = (address: string) => kernelElement(lab.hosts.router, 'feed4_32', address);

before(async () => {
  lab = await openLab({ services: ['web', 'syslog'] });
  mkdirSync(join(lab.dir, 'feeds'));
  writeFileSync(feedFile('drop'), `${BLOCKED}\n`);
  writeFileSync(feedFile('watch'), `${WATCHED} # a botnet\n`);
  const feeds = [
    { ...FEED, name: 'drop', url: feedFile('drop'), block: true },
    { ...FEED, name: 'watch', url: feedFile('watch'), label: 'botnet' },
  ];
  box = await Box.start(lab, { mode: 'enforce', config: { detect: { intel: { feeds } } } });
  await box.login();
});
after(() => lab?.close());

test('a feed that blocks puts its addresses into the kernel at start, and other addresses go on', async () => {
  await waitFor('the kernel holds the address of the feed', () => inFeedSet(BLOCKED));
  assert.ok(await isShut(lab.hosts.attacker, BLOCKED, lab.hosts.victim.ip4, 80));
  assert.ok(await reachesWeb(UNLISTED));
  const { items } = await box.api.get<IntelSummary>('/intel/feeds');
  assert.deepEqual(
    items.map((f) => [f.name, f.state, f.indicators.ip, f.blocked]),
    [
      ['drop', 'ok', 1, 1],
      ['watch', 'ok', 1, 0],
    ],
  );
  await siemLine(lab, 'what the feed changed', /intel feed drop/, /1 addresses added/);
});

/** The sensor says how many indicators it looks up. */
const sensorKnows = async (indicators: number) =>
  (await box.api.get<{ items: { stats: Record<string, unknown> }[] }>('/sensors')).items.some(
    ({ stats }) => stats.intel_indicators === indicators,
  );

test('a connection from a listed address is an alert that names the feed; it alone blocks nobody', async () => {
  await waitFor('the sensor knows both addresses', () => sensorKnows(2));
  assert.ok(await reachesWeb(WATCHED));
  const alert = await waitFor('the alert', async () => {
    const { items } = await box.api.get<{ items: Alert[] }>(`/alerts?q=${encodeURIComponent(`ip:${WATCHED}`)}`);
    return items.find((a) => a.label === 'listed_address');
  });
  assert.deepEqual(alert.tiers, ['intel']);
  assert.match(alert.evidence[0]?.text ?? '', /is listed as botnet by watch/);
  assert.ok(await reachesWeb(WATCHED), 'it was blocked for being listed');
  const { matches } = await box.api.get<{ matches: IntelMatch[] }>(`/intel/lookup?value=${WATCHED}`);
  assert.deepEqual(
    matches.map((m) => [m.feeds, m.label]),
    [[['watch'], 'botnet']],
  );
});

test('a listed address that also scans is blocked by the shipped policy for known-bad addresses', async () => {
  const args = ['-sT', '-S', WATCHED, '-e', 'eth0', '-n', '-Pn', '-T4', '-p', '1-500', lab.hosts.victim.ip4];
  const scan = lab.hosts.attacker.start('nmap', args, { limitSecs: 120 });
  await untilBlocked(box, WATCHED);
  await scan.stop();
  const { items } = await box.api.get<{ items: { policy?: string }[] }>(
    `/decisions?q=${encodeURIComponent(`ip:${WATCHED}`)}`,
  );
  assert.ok(
    items.some((d) => d.policy === 'known-bad'),
    JSON.stringify(items.map((d) => d.policy)),
  );
});

test('an address that the feed no longer lists is let in at the next refresh; an unreachable feed lifts nothing', async () => {
  writeFileSync(feedFile('drop'), `${UNLISTED}\n`);
  const refreshed = await box.api.ask<IntelSummary>('POST', '/intel/refresh', { feeds: ['drop'] });
  assert.equal(refreshed.status, 200, JSON.stringify(refreshed.body));
  await waitFor('the kernel has let go', async () => (await inFeedSet(BLOCKED)) === undefined);
  await waitFor('the kernel holds the new one', () => inFeedSet(UNLISTED));
  assert.ok(await reachesWeb(BLOCKED));
  writeFileSync(feedFile('drop'), '<html>please log in</html>\n');
  const failed = await box.api.ask<IntelSummary>('POST', '/intel/refresh', { feeds: ['drop'] });
  assert.equal(failed.body.items[0]?.state, 'failed');
  assert.ok(await inFeedSet(UNLISTED), 'a bad answer lifted a block');
  await siemLine(lab, 'that the feed failed', /intel feed drop/, /nothing in it is an indicator/);
});
