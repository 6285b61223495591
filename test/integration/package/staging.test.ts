import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { stagePackage } from '../../package/build.js';

const DAEMONS = ['server', 'responder', 'sensor'];

/** The tree that dpkg-deb would pack; installing and booting it is the stage `package`. */
describe('what goes into the Debian package', () => {
  let dir: string;
  let tree: string;
  const read = (path: string): string => readFileSync(join(tree, path), 'utf8');
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'staging-'));
    stagePackage(dir);
    tree = join(dir, 'deb');
  });
  after(() => {
    rmSync(dir, { recursive: true });
  });

  it('has control files that dpkg takes, and every conffile is there', () => {
    const control = read('DEBIAN/control');
    assert.doesNotMatch(control, /@[A-Z]+@|undefined/);
    for (const field of ['Package: portcullis', 'Architecture: ', 'Installed-Size: ', 'Depends: libc6 (>= '])
      assert.ok(control.includes(field), field);
    const conffiles = read('DEBIAN/conffiles').trim().split('\n');
    assert.ok(conffiles.includes('/etc/portcullis/portcullis.yaml') && conffiles.length > 5);
    for (const path of conffiles) assert.ok(existsSync(join(tree, path)), path);
    for (const script of ['postinst', 'prerm', 'postrm']) {
      execFileSync('sh', ['-n', join(tree, 'DEBIAN', script)]);
      assert.equal(statSync(join(tree, 'DEBIAN', script)).mode & 0o777, 0o755);
    }
    assert.match(read('etc/portcullis/portcullis.yaml'), /^mode: observe/m, 'nothing begins in enforce mode');
  });

  it('has units that systemd understands to the last word', () => {
    const names = [...DAEMONS.map((name) => `${name}.service`), 'canary.service', 'canary.timer'];
    const units = names.map((name) => join(tree, `usr/lib/systemd/system/portcullis-${name}`));
    const { stderr, error } = spawnSync('systemd-analyze', ['verify', '--man=no', ...units], { encoding: 'utf8' });
    assert.equal(error, undefined);
    const complaints = stderr.split('\n').filter((line) => /portcullis/.test(line) && !/is not executable/.test(line));
    assert.deepEqual(complaints, []);
    for (const unit of units) assert.doesNotMatch(readFileSync(unit, 'utf8'), /MemoryDenyWriteExecute=/);
  });

  it('runs by itself, with the Node.js in it, and says nothing of the machine that built it', () => {
    const program = join(tree, 'usr/lib/portcullis/bin/portcullis');
    const { version } = JSON.parse(read('usr/lib/portcullis/package.json')) as { version: string };
    assert.equal(execFileSync(program, ['--version'], { encoding: 'utf8', cwd: '/' }).trim(), version);
    const { status } = spawnSync('grep', ['-rlIF', process.cwd(), tree], { encoding: 'utf8' });
    assert.equal(status, 1, 'the path of the checkout is nowhere');
  });

  it('has production modules only, for this platform only', () => {
    const modules = readdirSync(join(tree, 'usr/lib/portcullis/node_modules'));
    assert.ok(modules.includes('koa'));
    for (const name of ['typescript', 'vite', 'eslint', '.bin']) assert.ok(!modules.includes(name), name);
    const foreign = spawnSync('find', [tree, '-name', '*.dll', '-o', '-name', '*.dylib', '-o', '-name', '*.map']);
    assert.equal(foreign.stdout.toString(), '');
  });

  it('has a manual page that troff reads without a warning, with every command', () => {
    const page = gunzipSync(readFileSync(join(tree, 'usr/share/man/man1/portcullis.1.gz'))).toString();
    const help = execFileSync(join(tree, 'usr/lib/portcullis/bin/portcullis'), ['--help'], { encoding: 'utf8' });
    const commands = [...help.matchAll(/^ {2}([a-z]+)(?: |$)/gm)]
      .map(([, name]) => name!)
      .filter((name) => name !== 'help');
    assert.ok(commands.length > 20);
    for (const name of commands) assert.match(page, new RegExp(`^\\.SS ${name}( |$)`, 'm'));
    const troff = spawnSync('groff', ['-man', '-Tutf8', '-ww', '-z'], { input: page, encoding: 'utf8' });
    if (troff.error === undefined) assert.equal(troff.stderr, '');
  });

  it('has a bill of materials that names what is in it, and no registry', () => {
    const text = gunzipSync(readFileSync(join(tree, 'usr/share/doc/portcullis/sbom.cdx.json.gz'))).toString();
    const bom = JSON.parse(text) as { bomFormat: string; components: { name: string; version: string }[] };
    assert.equal(bom.bomFormat, 'CycloneDX');
    const named = new Set(bom.components.map((component) => `${component.name}@${component.version}`));
    assert.ok(named.has(`node@${process.versions.node}`));
    for (const name of ['koa', 'better-sqlite3', 'onnxruntime-node']) {
      const { version } = JSON.parse(read(`usr/lib/portcullis/node_modules/${name}/package.json`)) as {
        version: string;
      };
      assert.ok(named.has(`${name}@${version}`), name);
    }
    assert.doesNotMatch(text, /"type": "distribution"/);
  });
});
