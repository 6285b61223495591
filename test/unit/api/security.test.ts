import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fc } from '../../support/fuzz.js';
import { unzipSync } from 'fflate';
import jwt from 'jsonwebtoken';
import { csvCell, csvRow } from '../../../src/contract/csv.js';
import { showHidden } from '../../../src/domain/visible-text.js';
import {
  OPERATIONS,
  type Capture,
  type LoginResponse,
  type Operation,
  type SavedView,
} from '../../../src/contract/http.js';
import { sampleAlert, sampleDecision, sampleFlow, sampleIncident } from '../store/samples.js';
import { assertProblem, startHarness, type CallOptions, type Harness } from './harness.js';

const all = Object.entries(OPERATIONS) as [string, Operation][];
const concrete = (path: string): string =>
  path.replaceAll(/:(\w+)/g, (_all, name: string) =>
    name === 'id'
      ? randomUUID()
      : name === 'list'
        ? 'alerts'
        : name === 'number'
          ? '1'
          : name === 'address'
            ? '192.0.2.1'
            : 'nothing',
  );
const BINARY = { 'Content-Type': 'application/octet-stream' };

/** What attackers write into host names, headers and messages. */
const HOSTILE = [
  '<script>alert(1)</script>', '"><img src=x onerror=alert(1)>', '=HYPERLINK("http://evil.example","x")', '@SUM(1+1)*cmd|calc!A0',
  '+1+1', '-2+3', '\t=1+1', '\r=1+1', ' =1+1', '\uff1d1+1', 'x;=1+1', 'x; "=1+1"', "'; DROP TABLE alerts; --", '{{constructor.constructor("x")()}}', '\u202egpj.exe', '${7*7}',
]; // prettier-ignore

/** Reads RFC 4180 CSV. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [[]];
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/y;
  while (cell.lastIndex < text.length) {
    const match = cell.exec(text);
    assert.ok(match, `not CSV: ${text}`);
    rows.at(-1)?.push(match[1] === undefined ? (match[2] ?? '') : match[1].replaceAll('""', '"'));
    if (match[3] !== ',') rows.push([]);
  }
  return rows.slice(0, -1);
}

/** What a spreadsheet takes for a formula: at the start of a cell, and of what it takes for one where `;` ends cells. */
const runs = (cell: string): boolean =>
  (/^[\t\r\n]|^[\s\0]*[=+\-@\uff1d\uff0b\uff0d\uff20]/.test(cell) ||
    /;[\s\0"]*[=+\-@\uff1d\uff0b\uff0d\uff20]/.test(cell)) &&
  Number.isNaN(Number(cell.trim() || 'x'));
/** The text without the apostrophes that keep it from running. */
const unmarked = (text: string): string =>
  text.replace(/^'/, '').replaceAll(/(;[\s\0"]*)'(?=[=+\-@\uff1d\uff0b\uff0d\uff20])/g, '$1');

describe('attacks', () => {
  let h: Harness;
  let token: string;
  before(async () => {
    h = await startHarness({ uploadLimitBytes: 65_536, requestTimeoutSecs: 1 });
    await h.addUser('ada', 'admin');
    await h.addUser('vera', 'viewer');
    token = (await h.login('ada')).token;
  });
  after(() => h.close());
  const get = (path: string, options: CallOptions = {}) => h.call('GET', path, { token, ...options });

  it('open no route with a wrong, expired, unsigned or re-signed token, nor with one of a stolen session', async () => {
    const login = await h.login('ada');
    const { header, payload } = jwt.decode(login.token, { complete: true }) as {
      header: jwt.JwtHeader;
      payload: jwt.JwtPayload;
    };
    const key = h.keys.signingKey(h.clock.ms).secret;
    const signed = (claims: object, secret: Buffer) =>
      jwt.sign({ ...payload, ...claims }, secret, { keyid: header.kid ?? '' });
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    // The refresh token is used, then the copy of it: the whole session ends.
    const refresh = (cookie: string) => h.call('POST', '/auth/refresh', { headers: { Cookie: cookie } });
    const stolen = (await refresh(login.cookie)).body as LoginResponse;
    h.clock.ms += 11_000;
    assertProblem(await refresh(login.cookie), 401, 'auth.refresh_reused');
    const wrong: Record<string, string | undefined> = {
      none: undefined,
      'alg none': `${part({ alg: 'none', kid: header.kid })}.${part(payload)}.`,
      're-signed': signed({}, Buffer.alloc(32, 7)),
      expired: signed({ exp: Math.floor(h.clock.ms / 1000) - 1 }, key),
      'of a stolen session': stolen.accessToken,
      'an unknown API token': `pct_${'A'.repeat(43)}`,
    };
    let tried = 0;
    for (const [id, operation] of all) {
      if (operation.access === 'public') continue;
      for (const [name, value] of Object.entries(wrong)) {
        const body = operation.method === 'get' ? undefined : {};
        const answer = await h.call(operation.method.toUpperCase(), concrete(operation.path), { token: value, body });
        assert.equal(answer.status, 401, `${id} with a token that is ${name}: ${answer.text}`);
        tried++;
      }
    }
    assert.ok(tried > 500, String(tried));
    token = (await h.login('ada')).token;
    assert.equal((await get('/status')).status, 200, 'mutation control: a right token opens');
  });

  it('come back out of every list as the text they are, as JSON that no browser runs', async () => {
    for (const text of HOSTILE) {
      const alert = sampleAlert({
        title: text,
        incidentId: randomUUID(),
        label: 'xss',
        sensor: text.slice(0, 60),
        evidence: [{ name: 'http.host', value: text, text }],
      });
      h.store.alerts.queue({ alert });
      const incident = sampleIncident({ id: alert.incidentId, title: text });
      h.store.incidents.queue(incident);
      h.store.flows.queue(text.slice(0, 60), sampleFlow({ appProto: text.slice(0, 30) }));
      await h.store.decisions.save({ decision: sampleDecision({ reason: text, alertIds: [alert.id], expiresMs: 0 }) });
      const comment = { text };
      const sent = await h.call('POST', `/incidents/${incident.id}/comments`, { token, body: comment });
      if (sent.status === 201) assert.equal((sent.body as { text: string }).text, text.trim());
      const answer = await get(`/alerts/${alert.id}`);
      const detail = answer.body as { alert: { title: string; evidence: { text: string }[] } };
      assert.equal(detail.alert.title, text);
      assert.equal(detail.alert.evidence[0]?.text, text);
      assert.match(answer.headers.get('content-type') ?? '', /^application\/json/);
      assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
    }
  });

  it('are no formulas in an exported table', async () => {
    await h.store.flush();
    for (const list of ['alerts', 'incidents', 'decisions', 'flows']) {
      const answer = await get(`/export/${list}?format=csv`);
      assert.equal(answer.status, 200, answer.text);
      assert.match(answer.headers.get('content-disposition') ?? '', /^attachment; filename="portcullis-/);
      const rows = parseCsv(answer.text).slice(1);
      assert.ok(rows.length >= HOSTILE.length, `${list}: ${rows.length} rows`);
      for (const cell of rows.flat()) assert.ok(!runs(cell), `${list}: ${JSON.stringify(cell)}`);
    }
    const lines = (await get('/export/alerts?format=ndjson&max=3')).text.trimEnd().split('\n');
    assert.equal(lines.length, 3);
    for (const line of lines) assert.ok((JSON.parse(line) as { id: string }).id);
    assertProblem(await get('/export/alerts?q=colour:red'), 400, 'search.invalid');
  });

  it('never make a cell that a spreadsheet would run, and cells keep their text', () => {
    const hostile = fc.oneof(
      fc.string(),
      fc.constantFrom(...HOSTILE),
      fc.string().map((s) => `=${s}`),
      fc.double().map(String),
    );
    fc.assert(
      fc.property(fc.array(hostile, { minLength: 1, maxLength: 5 }), (cells) => {
        const [parsed = []] = parseCsv(csvRow(cells));
        assert.equal(parsed.length, cells.length);
        for (const [i, cell] of parsed.entries()) {
          assert.ok(!runs(cell), JSON.stringify(cell));
          assert.equal(unmarked(cell), unmarked(showHidden(cells[i] ?? '')));
        }
      }),
    );
    for (const text of ['=1+1', ' =1+1', '\uff0b1', 'a;=1+1', 'a; "=1+1"'])
      assert.ok(runs(text) && !runs(csvCell(text)), `mutation control: the raw text would run: ${text}`);
    assert.equal(csvCell(-5), '-5');
  });

  it('cannot leave the folder of captures, nor fill it', async () => {
    const upload = (name: string, body = 'x', headers: Record<string, string> = BINARY) =>
      h.call('POST', `/captures?name=${encodeURIComponent(name)}`, { token, body, headers });
    for (const name of ['../../etc/passwd', 'a/b', 'a\\b', '\u0000', 'x'.repeat(200)]) {
      assertProblem(await upload(name), 400, 'request.invalid');
    }
    const kept = await upload('..');
    assert.equal(kept.status, 201);
    const file = await get(`/captures/${(kept.body as Capture).id}/file`);
    assert.equal(file.headers.get('content-disposition'), 'attachment; filename=".."');
    assertProblem(await upload('a.pcap', '{}', {}), 415, 'request.not_binary');
    assertProblem(await upload('a.pcap', 'x'.repeat(70_000)), 413, 'request.too_large');
    const many = (await get('/captures')).body as { items: Capture[] };
    assert.equal(many.items.length, 1, 'nothing is left of a refused upload');
  });

  it('reach no file by a name in a path, whatever it is written like', async () => {
    const dots = [
      '..%2f..%2f..%2fetc%2fpasswd',
      '%2e%2e%2fkeys.json',
      '..%5ckeys.json',
      '..%00',
      'keys.json%00.yaml',
      '....%2f%2fkeys.json',
    ];
    let tried = 0;
    for (const [id, { path, method, body }] of all) {
      if (!/:(name|list|id|address|host)/.test(path)) continue;
      for (const name of dots) {
        const target = path.replace(/:(name|list|id|address|host)/, name).replaceAll(/:\w+/g, '1');
        const request = { token, body: body === undefined ? undefined : {} };
        const answer = await h.call(method.toUpperCase(), target, request);
        assert.ok([400, 404, 415].includes(answer.status), `${id} ${target}: ${answer.status} ${answer.text}`);
        assert.doesNotMatch(answer.text, /root:|signing|sealing/, `${id} ${target}`);
        tried++;
      }
    }
    assert.ok(tried > 150, String(tried));
    assert.ok(readFileSync(join(h.dataDir, 'keys.json'), 'utf8').includes('signing'), 'what it is after is there');
  });

  it('cannot hold an upload open without sending', async () => {
    const started = Date.now();
    const stuck = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(Buffer.from('x'));
      },
    });
    const request: RequestInit & { duplex: 'half' } = {
      method: 'POST', headers: { ...BINARY, Authorization: `Bearer ${token}` }, body: stuck, duplex: 'half',
    }; // prettier-ignore
    const answer = await fetch(`${h.api.url}/api/v1/captures?name=a.pcap`, request).catch(() => undefined);
    if (answer) assert.equal(answer.status, 408);
    assert.ok(Date.now() - started < 20_000);
  });

  it('cannot read or change what others saved for themselves', async () => {
    const vera = (await h.login('vera')).token;
    const mine = await h.call('POST', '/views', { token, body: { page: 'alerts', name: 'mine', q: 'is:open' } });
    assert.equal(mine.status, 201, mine.text);
    const view = mine.body as SavedView;
    const seen = (await h.call('GET', '/views', { token: vera })).body as { items: SavedView[] };
    assert.deepEqual(seen.items, []);
    const change = { page: 'alerts', name: 'hers', q: '' };
    assertProblem(await h.call('PUT', `/views/${view.id}`, { token: vera, body: change }), 404, 'api.not_found');
    assertProblem(await h.call('DELETE', `/views/${view.id}`, { token: vera }), 404, 'api.not_found');
    const sharing = { ...change, shared: true };
    assertProblem(await h.call('POST', '/views', { token: vera, body: sharing }), 403, 'auth.forbidden');
    const shared = await h.call('PUT', `/views/${view.id}`, { token, body: { ...change, shared: true } });
    assert.equal(shared.status, 200, shared.text);
    const now = (await h.call('GET', '/views?page=alerts', { token: vera })).body as { items: SavedView[] };
    assert.deepEqual(
      now.items.map(({ name }) => name),
      ['hers'],
    );
  });

  it('are kept as evidence whose files say when they were changed', async () => {
    const alert = sampleAlert({ title: HOSTILE[0] ?? '', lastMs: h.clock.ms, firstMs: h.clock.ms });
    h.store.alerts.queue({ alert });
    h.store.flows.queue('edge', sampleFlow({ endUs: h.clock.ms * 1000 }));
    await h.store.decisions.save({ decision: sampleDecision({ alertIds: [alert.id], expiresMs: 0 }) });
    await h.store.flush();
    const response = await fetch(`${h.api.url}/api/v1/alerts/${alert.id}/bundle`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    assert.equal(response.headers.get('content-type'), 'application/zip');
    const files = unzipSync(new Uint8Array(await response.arrayBuffer()));
    const { sha256 } = JSON.parse(Buffer.from(files['manifest.json'] ?? []).toString()) as {
      sha256: Record<string, string>;
    };
    const hash = (bytes: Uint8Array | undefined): string =>
      createHash('sha256')
        .update(bytes ?? '')
        .digest('hex');
    assert.deepEqual(Object.keys(sha256).sort(), [
      'alerts.ndjson', 'audit.ndjson', 'decisions.ndjson', 'flows.ndjson', 'labels.ndjson', `packets/${alert.id}.pcap`, 'verdicts.ndjson',
    ]); // prettier-ignore
    for (const [name, expected] of Object.entries(sha256)) assert.equal(hash(files[name]), expected, name);
    assert.notEqual(hash(Buffer.from('changed')), sha256['alerts.ndjson'], 'mutation control');
    const lines = Buffer.from(files['decisions.ndjson'] ?? [])
      .toString()
      .trim()
      .split('\n');
    assert.equal(lines.length, 1);
    assert.equal(
      Buffer.from(files['flows.ndjson'] ?? [])
        .toString()
        .trim()
        .split('\n').length,
      1,
    );
  });
});
