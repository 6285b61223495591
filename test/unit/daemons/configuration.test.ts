import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { CONSOLE_SETTINGS_FILE, loadConfig } from '../../../src/config/index.js';
import { createConfiguration } from '../../../src/daemons/server/configuration.js';
import { AppError } from '../../../src/util/errors.js';

const ACTOR = { name: 'ann', kind: 'user' as const, address: '' };

describe('the configuration as the console shows it', () => {
  let dir: string;
  let file: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'configuration-'));
    file = join(dir, 'portcullis.yaml');
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  async function open(settings: object) {
    writeFileSync(file, JSON.stringify({ data_dir: dir, ...settings }));
    return createConfiguration({ config: await loadConfig(file), captureInterfaces: () => undefined });
  }

  it('holds no secret: neither fields that are one nor what stands in an address', async () => {
    const destination = { name: 'soc', preset: 'webhook', url: 'https://ann:s3cret-in-url@soc.example.net/x@y', token: 's3cret-token' }; // prettier-ignore
    const configuration = await open({ siem: { destinations: [destination] }, store: { password: 's3cret-db' } });
    const text = JSON.stringify(await configuration.list());
    assert.deepEqual(text.match(/.{0,60}s3cret.{0,20}/g), null);
    assert.match(text, /https:\/\/\*\*\*@soc\.example\.net\/x@y/, 'the rest of it is shown');
  });

  it('is what is in force also when the file has been broken since; then nothing can be changed, and it is said where', async () => {
    const configuration = await open({ lab: { max_jobs: 3 } });
    const value = async (): Promise<unknown> => (await configuration.list()).find(({ key }) => key === 'lab.max_jobs')?.value; // prettier-ignore
    writeFileSync(file, 'lab: { max_jobs: 3\nmode: [');
    assert.equal(await value(), 3);
    assert.throws(
      () => configuration.change({ 'lab.max_jobs': 4 }, ACTOR),
      (error) => error instanceof AppError && error.code === 'config.invalid' && error.message.includes('yaml:'),
    );
    assert.equal(existsSync(join(dir, CONSOLE_SETTINGS_FILE)), false);
    writeFileSync(file, 'lab: { max_jobs: 3 }\n');
    await configuration.change({ 'lab.max_jobs': 4 }, ACTOR);
    assert.match(readFileSync(join(dir, CONSOLE_SETTINGS_FILE), 'utf8'), /"lab.max_jobs": 4/);
    assert.equal(await value(), 4);
  });
});
