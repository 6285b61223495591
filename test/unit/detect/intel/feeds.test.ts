import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import {
  IndicatorTable,
  intelOptionsSchema,
  refreshIntel,
  refreshInThread,
  TABLE_FILE,
  type RefreshResult,
} from '../../../../src/detect/intel/index.js';
import { parseIp } from '../../../../src/util/ip.js';
import { startTaxiiServer, stixIndicator } from '../../support/taxii-server.js';

const NOW = Date.parse('2025-06-01T00:00:00Z');
const never = new AbortController().signal;

async function folder(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'intel-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

async function serve(t: TestContext, handler: RequestListener): Promise<string> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function refresh(
  dir: string,
  feeds: object[],
  more: { allow?: string[]; due?: string[] } = {},
): Promise<RefreshResult> {
  const options = intelOptionsSchema.parse({ feeds });
  const due = more.due ?? options.feeds.map((f) => f.name);
  return refreshIntel({ folder: dir, options, due, allow: more.allow ?? [], nowMs: NOW }, never);
}

async function lists(dir: string, value: string): Promise<string | undefined> {
  const table = IndicatorTable.parse(await readFile(join(dir, TABLE_FILE)));
  const ip = parseIp(value);
  const found = ip ? table.findAddress(ip.version, ...ip.words) : table.findDomain(value);
  return found < 0 ? undefined : table.entry(found, NOW / 1000)?.label;
}

test('a plain list, a hosts file and a table are read; what is no indicator is counted with its line', async (t) => {
  const dir = await folder(t);
  const list = join(dir, 'list.txt');
  await writeFile(
    list,
    '# comment\n203.0.113.7\n198.51.100.0/24 ; SBL1\n0.0.0.0 ads.example # ad\nnonsense\n10.0.0.1\n',
  );
  const csv = join(dir, 'table.csv');
  await writeFile(csv, '# made by us\n"id","url, quoted"\n"1","http://evil.example/x,y"\n"2","8.8.4.4"\n');
  const result = await refresh(dir, [
    { name: 'list', kind: 'list', url: list, label: 'botnet' },
    { name: 'csv', kind: 'csv', url: csv, column: 2 },
  ]);
  const [first, second] = result.feeds;
  assert.deepEqual(first?.indicators, { ip: 1, cidr: 1, domain: 1 });
  assert.equal(first.rejected, 2);
  assert.deepEqual(first.rejectedExamples, [
    'line 5: nonsense is neither an address, a name, a URL nor a fingerprint',
    'line 6: 10.0.0.1 is not a public address',
  ]);
  assert.equal(second?.error, null);
  assert.deepEqual(second?.indicators, { url: 1, ip: 1 });
  assert.equal(await lists(dir, '198.51.100.99'), 'botnet');
  assert.equal(await lists(dir, 'x.ads.example'), 'botnet');
  assert.equal(await lists(dir, '203.0.113.8'), undefined);
});

test('a STIX bundle gives what each pattern names alone; combinations, files and revoked ones are not used', async (t) => {
  const dir = await folder(t);
  const file = join(dir, 'bundle.json');
  const objects = [
    stixIndicator("[ipv4-addr:value = '203.0.113.7' OR ipv4-addr:value ISSUBSET '198.51.100.0/24']", {
      confidence: 90,
      indicator_types: ['malicious-activity'],
    }),
    stixIndicator("[domain-name:value IN ('a.example', 'b.example')]"),
    stixIndicator("[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '203.0.113.9']"),
    stixIndicator("[ipv4-addr:value = '203.0.113.20' AND network-traffic:dst_port = 443]"),
    stixIndicator("[file:hashes.'SHA-256' = 'aa']"),
    stixIndicator("[domain-name:value LIKE '%.example']"),
    stixIndicator("[ipv4-addr:value = '203.0.113.21'] FOLLOWEDBY [ipv4-addr:value = '203.0.113.22']"),
    stixIndicator("[ipv4-addr:value = '203.0.113.30']", { revoked: true }),
    stixIndicator("[ipv4-addr:value = '203.0.113.31']", { valid_until: '2025-02-01T00:00:00Z' }),
    stixIndicator('alert tcp any any', { pattern_type: 'snort' }),
    { type: 'malware', id: 'malware--1' },
  ];
  await writeFile(file, JSON.stringify({ type: 'bundle', id: 'bundle--1', objects }));
  const result = await refresh(dir, [{ name: 'stix', kind: 'stix', url: file }]);
  assert.deepEqual(result.feeds[0]?.indicators, { ip: 2, cidr: 1, domain: 2 });
  assert.equal(result.feeds[0].rejected, 5);
  assert.equal(await lists(dir, '203.0.113.7'), 'malicious-activity');
  assert.equal(await lists(dir, '203.0.113.9'), 'malicious');
  for (const gone of ['203.0.113.20', '203.0.113.21', '203.0.113.30', '203.0.113.31'])
    assert.equal(await lists(dir, gone), undefined, gone);
});

test('TAXII collections are read page by page from the discovery resource, with the login', async (t) => {
  const dir = await folder(t);
  const taxii = await startTaxiiServer({ username: 'reader', password: 's3cret' });
  t.after(taxii.close);
  const secretFile = join(dir, 'secret');
  await writeFile(secretFile, 's3cret\n');
  const feed = { name: 'taxii', kind: 'taxii', url: taxii.url, username: 'reader', secretFile };
  for (let i = 1; i <= 5; i++) taxii.objects.push(stixIndicator(`[ipv4-addr:value = '203.0.113.${i}']`));
  taxii.objects.push({ type: 'identity', id: 'identity--1' });
  const first = await refresh(dir, [feed]);
  assert.equal(first.feeds[0]?.error, null);
  assert.deepEqual(first.feeds[0]?.indicators, { ip: 5 });
  assert.equal(taxii.requests.filter((r) => r.includes('/objects/')).length, 3, 'three pages of two');

  // A newer version that is revoked takes the indicator away.
  taxii.objects.push({ ...taxii.objects[0], modified: '2025-05-01T00:00:00.000Z', revoked: true });
  const second = await refresh(dir, [feed]);
  assert.deepEqual(second.feeds[0]?.indicators, { ip: 4 });
  assert.equal(await lists(dir, '203.0.113.1'), undefined);

  await writeFile(secretFile, 'wrong');
  const third = await refresh(dir, [feed]);
  assert.match(third.feeds[0]?.error ?? '', /401.*secret_file/);
  assert.equal(third.feeds[0]?.state, 'failed');
  assert.equal(await lists(dir, '203.0.113.2'), 'malicious', 'what was fetched before stays in use');
});

test('a MISP feed folder and a MISP search give the attributes that are marked for detection', async (t) => {
  const dir = await folder(t);
  const id = '5a1b2c3d-0000-4000-8000-000000000001';
  const attribute = (type: string, value: string, more: object = {}) => ({ type, value, to_ids: true, ...more });
  const event = {
    info: 'Botnet',
    Attribute: [
      attribute('ip-dst|port', '203.0.113.7|443'),
      attribute('domain|ip', 'evil.example|203.0.113.8'),
      attribute('ip-src', '203.0.113.9', { to_ids: false }),
      attribute('md5', 'aa'),
    ],
    Object: [{ Attribute: [attribute('url', 'http://evil.example/x')] }],
  };
  const base = await serve(t, (request, response) => {
    if (request.headers['authorization'] !== 'key') response.writeHead(403).end();
    else if (request.url === '/feed/manifest.json') response.end(JSON.stringify({ [id]: { info: 'Botnet' } }));
    else if (request.url === `/feed/${id}.json`) response.end(JSON.stringify({ Event: event }));
    else if (request.url === '/attributes/restSearch') response.end(JSON.stringify({ response: event }));
    else response.writeHead(404).end();
  });
  const secretFile = join(dir, 'key');
  await writeFile(secretFile, 'key');
  for (const url of [`${base}/feed`, `${base}/attributes/restSearch`]) {
    const result = await refresh(dir, [{ name: 'misp', kind: 'misp', url, secretFile, tokenHeader: 'Authorization' }]);
    assert.equal(result.feeds[0]?.error, null);
    assert.deepEqual(result.feeds[0]?.indicators, { ip: 2, domain: 1, url: 1 }, url);
    assert.equal(result.feeds[0].rejected, 1);
    assert.equal(await lists(dir, '203.0.113.7'), 'Botnet');
    assert.equal(await lists(dir, '203.0.113.9'), undefined);
  }
});

test('a source that says nothing changed costs nothing and keeps what is in use', async (t) => {
  const dir = await folder(t);
  let full = 0;
  const url = await serve(t, (request, response) => {
    if (request.headers['if-none-match'] === '"v1"') response.writeHead(304).end();
    else {
      full++;
      response.setHeader('etag', '"v1"').end('203.0.113.7\n');
    }
  });
  await refresh(dir, [{ name: 'a', kind: 'list', url }]);
  const again = await refresh(dir, [{ name: 'a', kind: 'list', url }]);
  assert.equal(again.feeds[0]?.state, 'unchanged');
  assert.equal(again.indicators, 1);
  assert.equal(full, 1);
});

test('an error page, a cut answer, a huge one and a silent server leave what was fetched before in use', async (t) => {
  const dir = await folder(t);
  let mode = 'good';
  const url = await serve(t, (request, response) => {
    if (mode === 'good') response.end('203.0.113.7\n');
    else if (mode === 'page') response.end('<html><body>Sorry, try later</body></html>\n');
    else if (mode === 'cut') {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('203.0.113.8\n', () => request.socket.destroy());
    } else if (mode === 'huge') response.end('198.51.100.1\n'.repeat(200_000));
    else request.socket.destroy();
  });
  const feed = { name: 'a', kind: 'list', url, maxMiB: 1 };
  await refresh(dir, [feed]);
  for (const [now, reason] of [
    ['page', /nothing in it is an indicator/],
    ['cut', /cut off/],
    ['huge', /larger than 1 MiB/],
    ['gone', /does not answer/],
  ] as const) {
    mode = now;
    const result = await refresh(dir, [feed]);
    assert.equal(result.feeds[0]?.state, 'failed', now);
    assert.match(result.feeds[0].error ?? '', reason);
    assert.equal(await lists(dir, '203.0.113.7'), 'malicious', now);
  }
});

test('the secret goes to the feed’s own server only', async (t) => {
  const dir = await folder(t);
  const heard: (string | undefined)[] = [];
  const foreign = await serve(t, (request, response) => {
    heard.push(request.headers.authorization);
    response.end(JSON.stringify({ collections: [] }));
  });
  const own = await serve(t, (request, response) => {
    heard.push(request.headers.authorization);
    response.end(JSON.stringify({ api_roots: [`${foreign}/root/`] }));
  });
  const secretFile = join(dir, 'token');
  await writeFile(secretFile, 'hush');
  const result = await refresh(dir, [{ name: 'a', kind: 'taxii', url: `${own}/taxii2/`, secretFile }]);
  assert.deepEqual(heard, ['Bearer hush', undefined]);
  assert.match(result.feeds[0]?.error ?? '', /no collection/);
  assert.doesNotMatch(JSON.stringify(result), /hush/);
});

test('what the allowlist names is not listed, whatever a feed says; addresses to block are sure ones', async (t) => {
  const dir = await folder(t);
  const file = join(dir, 'list.json');
  const objects = [
    stixIndicator("[ipv4-addr:value = '203.0.113.7']", { confidence: 95 }),
    stixIndicator("[ipv4-addr:value = '203.0.113.8']", { confidence: 30 }),
    stixIndicator("[ipv4-addr:value = '198.51.100.5']", { confidence: 95 }),
  ];
  await writeFile(file, JSON.stringify({ type: 'bundle', objects }));
  const feeds = [{ name: 'a', kind: 'stix', url: file, block: true }];
  const result = await refresh(dir, feeds, { allow: ['198.51.100.0/24'] });
  assert.equal(result.allowed, 1);
  assert.equal(await lists(dir, '198.51.100.5'), undefined);
  assert.deepEqual(
    result.block['a']?.map((b) => b.value),
    ['203.0.113.7'],
  );
});

test('a thread of its own gives the same result', async (t) => {
  const dir = await folder(t);
  const file = join(dir, 'list.txt');
  await writeFile(file, '203.0.113.7\n');
  const options = intelOptionsSchema.parse({ feeds: [{ name: 'a', kind: 'list', url: file }] });
  const result = await refreshInThread({ folder: dir, options, due: ['a'], allow: [], nowMs: NOW }, never);
  assert.equal(result.indicators, 1);
  assert.equal(await lists(dir, '203.0.113.7'), 'malicious');
});
