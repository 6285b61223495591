import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { RuleSourceOptions } from '../../../../../src/detect/signature/options.js';
import { openRuleFolder, type RuleFolder } from '../../../../../src/detect/signature/ruleset/folder.js';
import { lastUpdate, updateRules, type SourceUpdate } from '../../../../../src/detect/signature/ruleset/update.js';
import { makeCertificates } from '../../../../integration/forward/support/certificates.js';

const rule = (sid: number, more = ''): string => `alert tcp any any -> any any (msg:"rule ${sid}"; ${more}sid:${sid};)`;
const rules = (...sids: number[]): string => sids.map((sid) => rule(sid)).join('\n');

let work: string;
let folder: RuleFolder;
let server: Server;
let base: string;
/** What the server answers by path. */
const pages = new Map<string, { body: Buffer; cut?: number; auth?: string }>();

before(async () => {
  server = createServer((request, response) => {
    const page = pages.get(request.url ?? '');
    if (!page || (page.auth !== undefined && request.headers.authorization !== page.auth)) {
      response.writeHead(page ? 401 : 404).end();
      return;
    }
    response.writeHead(200, { 'content-length': page.body.length });
    if (page.cut === undefined) response.end(page.body);
    else response.write(page.body.subarray(0, page.cut), () => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => new Promise((resolve) => server.close(resolve)));
beforeEach(() => {
  work = mkdtempSync(join(tmpdir(), 'portcullis-rules-'));
  folder = openRuleFolder(join(work, 'rules'));
  pages.clear();
});
after(() => {
  rmSync(work, { recursive: true, force: true });
});

/** An archive made by the real tar. */
function tar(files: Record<string, string>, ...flags: string[]): Buffer {
  const dir = mkdtempSync(join(work, 'tar-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(dir, name, '..'), { recursive: true });
    writeFileSync(join(dir, name), text);
  }
  return execFileSync('tar', ['-C', dir, ...flags, '-cf', '-', ...Object.keys(files)], { maxBuffer: 1e8 });
}

async function update(given: Partial<RuleSourceOptions> & { url: string }, more = {}): Promise<SourceUpdate> {
  const source: RuleSourceOptions = { name: 'test', enabled: true, checksum: 'auto', headers: {}, ...given };
  return (await updateRules({ sources: [source], folder, actor: 'test', ...more })).sources[0]!;
}
const inForce = (): string[] => (folder.source('test')?.rules ?? []).map((f) => f.text.trim());
const sha256 = (d: Buffer): string => createHash('sha256').update(d).digest('hex');
const md5 = (d: Buffer): string => createHash('md5').update(d).digest('hex');

describe('rules update', () => {
  for (const [format, flags] of [
    ['ustar', ['--format=ustar']],
    ['pax', ['--format=pax']],
    ['gnu, gzip', ['--format=gnu', '-z']],
  ] as [string, string[]][]) {
    test(`unpacks what tar makes (${format}), long names too`, async () => {
      const long = `rules/${'deep/'.repeat(30)}${'x'.repeat(60)}.rules`;
      const files = { 'rules/a.rules': rules(1, 2), ...(format === 'ustar' ? {} : { [long]: rules(3) }) };
      pages.set('/r.tar.gz', { body: tar(files, ...flags) });
      const done = await update({ url: `http://${base}/r.tar.gz` });
      assert.equal(done.error, null);
      assert.equal(done.result, 'updated');
      assert.equal(done.counts.new, format === 'ustar' ? 2 : 3);
      assert.ok(inForce().includes(rules(1, 2)));
    });
  }

  test('takes a folder, a tarball on disk and a single rule file', async () => {
    mkdirSync(join(work, 'own'));
    writeFileSync(join(work, 'own', 'a.rules'), rules(1));
    assert.equal((await update({ url: join(work, 'own') })).counts.new, 1);
    writeFileSync(join(work, 'r.tar'), tar({ 'a.rules': rules(1, 2) }));
    assert.equal((await update({ url: join(work, 'r.tar') })).counts.new, 1);
    writeFileSync(join(work, 'b.rules'), rules(1, 2, 3));
    assert.equal((await update({ url: `file://${join(work, 'b.rules')}` })).counts.new, 1);
  });

  test('says what is new, changed and gone, and an equal download changes nothing', async () => {
    pages.set('/r.tar', { body: tar({ 'a.rules': rules(1, 2, 3) }) });
    await update({ url: `http://${base}/r.tar` });
    pages.set('/r.tar', { body: tar({ 'a.rules': `${rule(1)}\n${rule(2, 'rev:2; ')}\n#${rule(3)}\n${rule(4)}` }) });
    const second = await update({ url: `http://${base}/r.tar` });
    assert.deepEqual(second.counts, { new: 1, changed: 1, gone: 1 });
    assert.deepEqual([second.new[0]!.sid, second.changed[0]!.sid, second.gone[0]!.sid], [4, 2, 3]);
    const version = folder.source('test')!.updatedMs;
    assert.equal((await update({ url: `http://${base}/r.tar` })).result, 'unchanged');
    assert.equal(folder.source('test')!.updatedMs, version);
    assert.equal(lastUpdate(folder)?.sources[0]?.result, 'unchanged');
  });

  test('verifies published checksums', async () => {
    const body = tar({ 'a.rules': rules(1) });
    pages.set('/r.tar', { body });
    assert.equal((await update({ url: `http://${base}/r.tar` })).checksum, 'none');
    pages.set('/r.tar.md5', { body: Buffer.from(`${md5(body)}\n`) });
    assert.equal((await update({ url: `http://${base}/r.tar` })).checksum, 'md5');
    pages.set('/r.tar.sha256', { body: Buffer.from(`${sha256(body)}  r.tar\n`) });
    assert.equal((await update({ url: `http://${base}/r.tar` })).checksum, 'sha256');
    assert.equal((await update({ url: `http://${base}/r.tar`, sha256: sha256(body).toUpperCase() })).error, null);
  });

  describe('keeps the rules of before', () => {
    beforeEach(async () => {
      pages.set('/r.tar', { body: tar({ 'a.rules': rules(1, 2, 3, 4) }) });
      await update({ url: `http://${base}/r.tar` });
    });
    const refused: [string, () => Promise<SourceUpdate>, RegExp][] = [
      ['when the checksum differs', () => {
        pages.set('/r.tar', { body: tar({ 'a.rules': rules(1, 2, 3, 5) }) });
        pages.set('/r.tar.md5', { body: Buffer.from('0'.repeat(32)) });
        return update({ url: `http://${base}/r.tar` });
      }, /md5 checksum/],
      ['when a checksum is required and none is published', () =>
        update({ url: `http://${base}/r.tar`, checksum: 'required' }), /no checksum/],
      ['when the download breaks off', () => {
        const body = tar({ 'a.rules': rules(9) });
        pages.set('/r.tar', { body, cut: 700 });
        return update({ url: `http://${base}/r.tar` });
      }, /./],
      ['when the archive is cut off', () => {
        pages.set('/r.tar', { body: tar({ 'a.rules': rules(9) }).subarray(0, 700) });
        return update({ url: `http://${base}/r.tar` });
      }, /cut off|damaged/],
      ['when a byte of a header is wrong', () => {
        const body = tar({ 'a.rules': rules(9) });
        body[5] = body[5]! ^ 1;
        pages.set('/r.tar', { body });
        return update({ url: `http://${base}/r.tar` });
      }, /checksum/],
      ['when the server has a page instead', () => {
        pages.set('/r.tar', { body: Buffer.from('<html>maintenance</html>') });
        return update({ url: `http://${base}/r.tar` });
      }, /neither a tar/],
      ['when the server has nothing', () => update({ url: `http://${base}/gone.tar` }), /404/],
      ['when nobody answers', () => update({ url: 'http://127.0.0.1:9/r.tar' }), /does not answer/],
      ['when nobody here knows its certificate', async () => {
        const { cert, key } = makeCertificates(work).server;
        const secure = createTlsServer({ cert: readFileSync(cert), key: readFileSync(key) });
        await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
        try {
          return await update({ url: `https://127.0.0.1:${(secure.address() as AddressInfo).port}/r.tar` });
        } finally {
          secure.close();
        }
      }, /shows a certificate that is not accepted: .+ \(NODE_EXTRA_CA_CERTS names/],
      ['when there is no rule file', () => {
        pages.set('/r.tar', { body: tar({ 'readme.txt': 'x' }) });
        return update({ url: `http://${base}/r.tar` });
      }, /no rule file/],
      ['when no rule is understood', () => {
        pages.set('/r.tar', { body: tar({ 'a.rules': 'alert tcp nonsense' }) });
        return update({ url: `http://${base}/r.tar` });
      }, /no rule of it/],
      ['when most rules are gone', () => {
        pages.set('/r.tar', { body: tar({ 'a.rules': rules(1) }) });
        return update({ url: `http://${base}/r.tar` });
      }, /3 of 4 rules would be gone/],
      ['when most rules are not understood', () => {
        pages.set('/r.tar', { body: tar({ 'a.rules': `${rules(1, 2, 3, 4)}\n${rule(5, 'nonsense; ').repeat(1)}\n`.concat(
          [6, 7, 8, 9, 10].map((sid) => rule(sid, 'nonsense; ')).join('\n')) }) });
        return update({ url: `http://${base}/r.tar` });
      }, /not understood/],
    ]; // prettier-ignore
    for (const [name, attempt, reason] of refused) {
      test(name, async () => {
        const done = await attempt();
        assert.equal(done.result, 'failed');
        assert.match(done.error ?? '', reason);
        assert.deepEqual(inForce(), [rules(1, 2, 3, 4)]);
        assert.equal(lastUpdate(folder)?.ok, false);
      });
    }
    test('but a person may insist', async () => {
      pages.set('/r.tar', { body: tar({ 'a.rules': rules(1) }) });
      assert.equal((await update({ url: `http://${base}/r.tar` }, { force: true })).result, 'updated');
      assert.deepEqual(inForce(), [rules(1)]);
    });
    test('a dry run compares only', async () => {
      pages.set('/r.tar', { body: tar({ 'a.rules': rules(1, 2, 3, 4, 5) }) });
      assert.equal((await update({ url: `http://${base}/r.tar` }, { dryRun: true })).counts.new, 1);
      assert.deepEqual(inForce(), [rules(1, 2, 3, 4)]);
    });
  });

  test('names in an archive cannot leave the folder, and links are not followed', async () => {
    const dir = mkdtempSync(join(work, 'evil-'));
    writeFileSync(join(dir, 'a.rules'), rules(1));
    execFileSync('ln', ['-s', '/etc/passwd', join(dir, 'link.rules')]);
    const body = execFileSync('tar', [
      '-C',
      dir,
      '--transform',
      's,^a,../../../evil,',
      '-cf',
      '-',
      'a.rules',
      'link.rules',
    ]);
    pages.set('/r.tar', { body });
    assert.equal((await update({ url: `http://${base}/r.tar` })).error, null);
    assert.deepEqual(readdirSync(folder.source('test')!.path), ['evil.rules']);
    assert.ok(!existsSync(join(work, 'evil.rules')));
  });

  test('user name and password are sent and never shown', async () => {
    pages.set('/r.tar', {
      body: tar({ 'a.rules': rules(1) }),
      auth: `Basic ${Buffer.from('ada:s:ecret').toString('base64')}`,
    });
    const done = await update({ url: `http://ada:s%3Aecret@${base}/r.tar` });
    assert.equal(done.error, null);
    assert.equal(done.url, `http://${base}/r.tar`);
    assert.ok(!readFileSync(join(folder.path, 'update.json'), 'utf8').includes('ecret'));
  });

  test('a dataset that rules load comes with them', async () => {
    const text = rule(1, 'http.host; dataset:isset,bad,type string,load bad.lst; ').replace('tcp', 'http');
    pages.set('/r.tar', { body: tar({ 'rules/a.rules': text, 'rules/bad.lst': 'ZXZpbA==\n' }) });
    const done = await update({ url: `http://${base}/r.tar` });
    assert.deepEqual([done.error, done.failed], [null, 0]);
    assert.deepEqual(readdirSync(folder.source('test')!.path).sort(), ['a.rules', 'bad.lst']);
  });

  test('two versions are kept, older ones removed', async () => {
    for (const n of [1, 2, 3, 4]) {
      pages.set('/r.tar', { body: tar({ 'a.rules': rules(...[1, 2, 3, 4].slice(0, n)) }) });
      assert.equal((await update({ url: `http://${base}/r.tar` })).result, 'updated');
    }
    assert.equal(readdirSync(join(folder.path, 'sources', 'test')).length, 3);
  });
});
