import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import type { ResponseResult } from '../../src/contract/http.js';
import { Box } from '../lab/box/box.js';
import { siemLine } from '../lab/box/cef.js';
import { connects, isShut, kernelElement } from '../lab/box/kernel.js';
import { openLab, type Lab } from '../lab/lab.js';
import { ATTACKER_ADDRESSES } from '../lab/topology.js';
import { waitFor } from '../lab/wait.js';
import { untilBlocked } from './support.js';

const [BY_SURICATA = '', UNPROVEN = '', BY_SIEM = '', MILD = ''] = ATTACKER_ADDRESSES;
const POLICY = `
format: 1
name: suricata-exploits
description: What Suricata calls an exploit is blocked.
when:
  signature: { metadata: { ingest_source: [suricata] } }
  min_severity: high
respond:
  ladder: [{ action: block, scope: ip, duration: 10m }]
  when_spoofable: monitor
`;

let lab: Lab;
let box: Box;
const dir = mkdtempSync(join(tmpdir(), 'portcullis-neighbours-'));
const eveFile = join(dir, 'eve.json');

before(async () => {
  appendFileSync(eveFile, '');
  lab = await openLab({ services: ['web', 'syslog'] });
  const config = { ingest: { sources: [{ name: 'suricata', kind: 'eve-file', path: eveFile }] } };
  box = await Box.start(lab, { mode: 'enforce', policies: { 'suricata.yaml': POLICY }, config });
  await box.login();
});
after(async () => {
  await lab?.close();
  rmSync(dir, { recursive: true, force: true });
});

const reachesWeb = (from: string) => connects(lab.hosts.attacker, from, lab.hosts.victim.ip4, 80);
const isShutOut = (from: string) => isShut(lab.hosts.attacker, from, lab.hosts.victim.ip4, 80);
const element = (address: string) => kernelElement(lab.hosts.router, 'block4_32', address);

function suricata(from: string, change: { severity?: number; answered?: boolean } = {}): void {
  const { severity = 1, answered = true } = change;
  const event = {
    ...{ timestamp: new Date().toISOString(), event_type: 'alert', flow_id: 7, proto: 'TCP', app_proto: 'http' },
    ...{ src_ip: from, src_port: 40_000, dest_ip: lab.hosts.victim.ip4, dest_port: 80 },
    alert: {
      action: 'allowed',
      gid: 1,
      signature_id: 2_019_401,
      rev: 1,
      signature: 'An exploit',
      category: 'Exploit',
      severity,
    },
    flow: { pkts_toserver: 5, pkts_toclient: answered ? 4 : 0 },
  };
  appendFileSync(eveFile, `${JSON.stringify(event)}\n`);
}

/** As a remediation component asks. */
function lapi(key: string, path: string): Promise<{ status: number; body: unknown }> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { socketPath: box.socketPath, path, headers: { host: 'localhost', 'x-api-key': key } },
      (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) as unknown }));
      },
    );
    asked.on('error', reject).end();
  });
}

test('an alert that Suricata writes is judged by the same policies and stops its source in the kernel', async () => {
  assert.ok(await reachesWeb(BY_SURICATA), 'the control');
  suricata(BY_SURICATA);
  suricata(UNPROVEN, { answered: false });
  suricata(MILD, { severity: 3 });
  await untilBlocked(box, BY_SURICATA);
  assert.ok(await isShutOut(BY_SURICATA));
  const { items } = await box.api.get<{ items: { offender: string; sensor: string }[] }>('/alerts');
  assert.ok(items.some((a) => a.offender === UNPROVEN), 'what could be forged is an alert'); // prettier-ignore
  assert.equal(await element(UNPROVEN), undefined, 'and no block');
  assert.equal(await element(MILD), undefined);
  await siemLine(lab, 'the SIEM has the block', /decision:block/, new RegExp(BY_SURICATA.replaceAll('.', '\\.')));
});

test('a SIEM that asks gets a block in the kernel, an answer for each item, and its release', async () => {
  const made = await box.api.ask<{ secret: string }>('POST', '/tokens', {
    ...{ name: 'soar', role: 'operator', scope: 'respond', expiresInSecs: 3600 },
  });
  assert.equal(made.status, 201);
  const body = {
    ...{ idempotencyKey: 'case-1-block', source: 'soar', reference: 'case 1' },
    items: [
      { op: 'block', value: BY_SIEM, durationSecs: 600, reason: 'beaconing' },
      { op: 'block', value: lab.hosts.router.ip4, reason: 'a mistake' },
      { op: 'block', value: '0.0.0.0/0', reason: 'a worse one' },
    ],
  };
  const { body: result } = await box.api.ask<ResponseResult>('POST', '/response-requests', body);
  assert.deepEqual(
    result.items.map((i) => [i.outcome, i.code]),
    [
      ['accepted', undefined],
      ['refused', 'decision.protected'],
      ['refused', 'response.prefix'],
    ],
  );
  await untilBlocked(box, BY_SIEM);
  assert.ok(await isShutOut(BY_SIEM));
  const again = await box.api.ask<ResponseResult>('POST', '/response-requests', body);
  assert.equal(again.body.replayed, true);
  await siemLine(lab, 'the SIEM has its own block', /decision:block/, /flexString1=siem/);
  const release = {
    ...body,
    idempotencyKey: 'case-1-release',
    items: [{ op: 'release', value: BY_SIEM, reason: 'closed' }],
  };
  assert.equal((await box.api.ask<ResponseResult>('POST', '/response-requests', release)).body.accepted, 1);
  await waitFor('the kernel let it go', async () => (await element(BY_SIEM)) === undefined);
  assert.ok(await reachesWeb(BY_SIEM));
});

test('a remediation component sees what the kernel blocks, and nothing without its key', async () => {
  const { body } = await box.api.ask<{ secret: string }>('POST', '/tokens', {
    ...{ name: 'edge', role: 'viewer', scope: 'remediation', expiresInSecs: 3600 },
  });
  const stream = await lapi(body.secret, '/v1/decisions/stream?startup=true');
  const values = (stream.body as { new: { value: string; type: string }[] }).new.map((d) => `${d.type} ${d.value}`);
  assert.deepEqual(values, [`ban ${BY_SURICATA}`]);
  assert.equal((await lapi('pct_wrong', '/v1/decisions/stream?startup=true')).status, 403);
});
