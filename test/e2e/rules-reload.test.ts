import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import type { SensorStatus } from '../../src/contract/http.js';
import { Box, MAIN } from '../lab/box/box.js';
import { openLab, type Lab } from '../lab/lab.js';
import { CLIENT_ADDRESSES } from '../lab/topology.js';
import { waitFor } from '../lab/wait.js';

const CLIENT = CLIENT_ADDRESSES[0]!;
const BEGIN =
  'alert http any any -> any any (msg:"begun"; http.uri; content:"/state-begin"; flowbits:set,begun; sid:1;)';
const END = 'alert http any any -> any any (msg:"ended"; http.uri; content:"/state-end"; flowbits:isset,begun; sid:2;)';
const NUMBERED = 'alert udp any any -> any 9999 (msg:"numbered"; content:"numbered"; sid:3;)';
/** Rules that match nothing and make the new set take its time. */
const PADDING = Array.from(
  { length: 3000 },
  (_, i) => `alert http any any -> any any (msg:"p${i}"; http.uri; content:"/never-${i}-asked"; sid:${1000 + i};)`,
);
const PACKETS = 3000;
/** About 500 packets a second: the reload falls into the middle of them. */
const PACE_MS = 2;

/** Two requests on one connection, the second once a file is there. */
const TWO_REQUESTS = `
const [host, from, go] = process.argv.slice(1);
const socket = require('net').connect({ host, port: 80, localAddress: from });
const ask = (path) => socket.write('GET ' + path + ' HTTP/1.1\\r\\nHost: web\\r\\n\\r\\n');
ask('/state-begin');
socket.once('data', () => {
  console.log('begun');
  const timer = setInterval(() => {
    if (!require('fs').existsSync(go)) return;
    clearInterval(timer);
    ask('/state-end');
    socket.once('data', () => socket.end(() => process.exit(0)));
  }, 20);
});`;
const NUMBERS = `
const [host, count, pace] = process.argv.slice(1);
const socket = require('dgram').createSocket('udp4');
let sent = 0;
const timer = setInterval(() => {
  if (sent >= Number(count)) { clearInterval(timer); socket.close(); console.log('sent ' + sent); return; }
  socket.send('numbered ' + sent++, 9999, host);
}, Number(pace));`;

let lab: Lab;
let box: Box;
let rules: string;

before(async () => {
  lab = await openLab({ services: ['web'] });
  mkdirSync(join(lab.dir, 'rules'), { recursive: true });
  rules = join(lab.dir, 'rules', 'own.rules');
  writeFileSync(rules, [BEGIN, NUMBERED].join('\n'));
  const detect = { behaviour: { enabled: false }, models: { enabled: false }, signature: { rules: [rules] } };
  box = await Box.start(lab, { mode: 'observe', config: { detect } });
  await box.login();
});
after(() => lab?.close());

const sensor = async (): Promise<SensorStatus> => {
  const { sensors } = await box.api.get<{ sensors: SensorStatus[] }>('/status');
  return sensors[0]!;
};
const alerts = async (): Promise<number> => Number((await sensor()).stats['signature_alerts'] ?? 0);

test('rules are swapped under load: no packet is lost, and a flow keeps what the old rules remembered', async () => {
  const { client, victim, router } = lab.hosts;
  const node = process.execPath;
  const go = join(lab.dir, 'go');
  const session = client.start(node, ['-e', TWO_REQUESTS, victim.ip4, CLIENT, go], { limitSecs: 200 });
  await session.waitForOutput(/begun/);
  await waitFor('the first request is seen', async () => (await alerts()) === 1);
  const before = await sensor();
  const load = client.start(node, ['-e', NUMBERS, victim.ip4, String(PACKETS), String(PACE_MS)], { limitSecs: 200 });
  await waitFor('the load is running', async () => (await alerts()) > 200);
  writeFileSync(rules, [END, NUMBERED, ...PADDING].join('\n'));
  await router.run(node, [MAIN, 'rules', 'reload', '--config', box.configFile], { limitSecs: 120 });
  await waitFor(
    'the new rules are in force',
    async () => (await sensor()).stats['signature_rules'] === PADDING.length + 2,
  );
  const atSwap = await alerts();
  assert.ok(atSwap < PACKETS, 'the load was over before the new rules were in force');
  writeFileSync(go, '');
  await load.waitForOutput(new RegExp(`sent ${PACKETS}`), 120_000);
  const wanted = 1 + PACKETS + 1;
  const seen = await waitFor('all is seen', async () => ((await alerts()) >= wanted ? sensor() : undefined));
  assert.equal(seen.stats['signature_alerts'], wanted);
  assert.equal(seen.kernelDrops - before.kernelDrops, 0);
  assert.ok(seen.packets - before.packets >= PACKETS);
  const { items } = await waitFor('it is stored', async () => {
    const list = await box.api.get<{ items: { signatureId: number }[] }>('/alerts?limit=200');
    return list.items.some((a) => a.signatureId === 2) ? list : undefined;
  });
  assert.ok(items.some((a) => a.signatureId === 1));
});

test('without the first request the rule that asks for it stays silent', async () => {
  const before = await alerts();
  const url = `http://${lab.hosts.victim.ip4}`;
  const ask = (path: string) => lab.hosts.client.run('curl', ['-s', '-o', '/dev/null', `${url}${path}`]);
  await ask('/state-end');
  // The control comes behind it: once it is counted, the silence of the other means something.
  await ask('/never-7-asked');
  await waitFor('the control is seen', async () => (await alerts()) > before);
  assert.equal(await alerts(), before + 1);
});
