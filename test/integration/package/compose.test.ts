import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { podmanRun, readCompose } from '../../package/compose.js';

const FLEET = { NODE: 'nats1', MEMBER: 'server1' };

test('every service of the compose files is confined, and says nothing that no engine understands', () => {
  const files = ['docker/compose.yaml', 'docker/compose.fleet.yaml'];
  const services = files.flatMap((file) => Object.entries(readCompose(file, FLEET)).map((s) => [file, ...s] as const));
  assert.equal(services.length, 5);
  for (const [file, name, service] of services) {
    const options = podmanRun(file, name, service, 'p');
    for (const option of ['--read-only=true', '--cap-drop=ALL', 'no-new-privileges:true'])
      assert.ok(options.includes(option), `${file}, ${name}: ${option}`);
    const given = options.filter((option) => option.startsWith('--cap-add='));
    assert.ok(given.length <= 1, `${name} has one capability or none`);
  }
  const [, , nats] = services.find(([, name]) => name === 'nats')!;
  assert.ok((nats['volumes'] as string[])[0]?.startsWith('./fleet/nats/nats1:'));
});

test('a variable that is missing and a key that is none are named', () => {
  assert.throws(() => readCompose('docker/compose.fleet.yaml'), /asks for NODE/);
  const dir = mkdtempSync(join(tmpdir(), 'compose-'));
  writeFileSync(join(dir, 'c.yaml'), 'services: { one: { image: x, privilged: true } }\n');
  assert.throws(() => readCompose(join(dir, 'c.yaml')), /one: privilged/);
  rmSync(dir, { recursive: true });
});
