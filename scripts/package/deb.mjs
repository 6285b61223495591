import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { runQuietly } from '../lib/output.mjs';
import { stageDocs } from './product.mjs';

const HERE = import.meta.dirname;
export const ARCHITECTURES = { x64: 'amd64', arm64: 'arm64' };
const UNITS = [
  'portcullis.target',
  ...['server', 'responder', 'sensor', 'inline', 'canary'].map((d) => `portcullis-${d}.service`),
  'portcullis-canary.timer',
];
const MAINTAINER_SCRIPTS = ['postinst', 'prerm', 'postrm'];

/**
 * Lays out the Debian package around the staged product, which becomes `tree`/usr/lib/portcullis.
 * @returns nothing; `tree` is what `dpkg-deb --build` wants.
 */
export function stageDeb(root, tree, { version, manual, bom, changelogDate }) {
  const put = (path, data, mode = 0o644) => {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), data);
    chmodSync(join(tree, path), mode);
  };
  const source = (path) => readFileSync(join(root, path));
  mkdirSync(join(tree, 'usr/bin'), { recursive: true });
  symlinkSync('../lib/portcullis/bin/portcullis', join(tree, 'usr/bin/portcullis'));
  for (const unit of UNITS) put(`usr/lib/systemd/system/${unit}`, source(`systemd/${unit}`));
  put('usr/lib/sysusers.d/portcullis.conf', source('systemd/portcullis.sysusers.conf'));
  put('usr/lib/tmpfiles.d/portcullis.conf', source('systemd/portcullis.tmpfiles.conf'));
  put('etc/portcullis/portcullis.yaml', source('systemd/portcullis.yaml'));
  // Rules are data of the product; policies are the operator's to change.
  cpSync(join(root, 'policies'), join(tree, 'etc/portcullis/policies'), {
    recursive: true,
    filter: (path) => path !== join(root, 'policies/rules'),
  });
  stageDocs(root, join(tree, 'usr/share/doc/portcullis'));
  put('usr/share/doc/portcullis/README.md', source('README.md'));
  put('usr/share/doc/portcullis/copyright', readFileSync(join(HERE, 'debian/copyright')));
  put('usr/share/doc/portcullis/sbom.cdx.json.gz', gzipSync(bom, { level: 9 }));
  put('usr/share/doc/portcullis/changelog.gz', gzipSync(debianChangelog(root, version, changelogDate), { level: 9 }));
  put('usr/share/man/man1/portcullis.1.gz', gzipSync(manual, { level: 9 }));
  put('DEBIAN/control', controlFile(version, tree));
  put(
    'DEBIAN/conffiles',
    filesBelow(join(tree, 'etc'))
      .map((path) => `/etc/${path}\n`)
      .join(''),
  );
  put('DEBIAN/md5sums', checksums(tree));
  for (const name of MAINTAINER_SCRIPTS) put(`DEBIAN/${name}`, readFileSync(join(HERE, 'debian', name)), 0o755);
  setModes(tree);
}

/** Builds the package; the same tree and the same SOURCE_DATE_EPOCH give the same bytes. */
export async function buildDeb(tree, file, epochSecs) {
  const env = { ...process.env, SOURCE_DATE_EPOCH: String(epochSecs), LC_ALL: 'C.UTF-8' };
  const args = ['--build', '--root-owner-group', '-Zzstd', '-z9', tree, file];
  await runQuietly('dpkg-deb', args, { env, what: 'dpkg-deb' });
}

function controlFile(version, tree) {
  const template = readFileSync(join(HERE, 'debian/control'), 'utf8');
  const sizeKib = filesBelow(tree).reduce((sum, path) => sum + Math.ceil(lstatSync(join(tree, path)).size / 1024), 0);
  const values = {
    VERSION: version,
    ARCHITECTURE: ARCHITECTURES[process.arch],
    LIBC: libcVersion(),
    SIZE: String(sizeKib),
  };
  return template.replace(/@([A-Z]+)@/g, (_, key) => values[key]);
}

/** The add-ons were linked against this one; an older one may lack what they use. */
function libcVersion() {
  return execFileSync('getconf', ['GNU_LIBC_VERSION'], { encoding: 'utf8' }).trim().split(' ').at(-1);
}

function debianChangelog(root, version, date) {
  const items = readFileSync(join(root, 'CHANGELOG.md'), 'utf8')
    .split('\n')
    .slice(2)
    .map((line) => (line === '' ? '' : `  ${line}`));
  const text = items.join('\n').trimEnd();
  return `portcullis (${version}) stable; urgency=medium\n\n${text}\n\n -- Portcullis <root@localhost>  ${date}\n`;
}

function checksums(tree) {
  const files = filesBelow(tree).filter((path) => !path.startsWith('DEBIAN/') && !path.startsWith('etc/'));
  const md5 = (path) =>
    createHash('md5')
      .update(readFileSync(join(tree, path)))
      .digest('hex');
  return files
    .filter((path) => lstatSync(join(tree, path)).isFile())
    .map((path) => `${md5(path)}  ${path}\n`)
    .join('');
}

/** Files and links of a folder, relative to it, sorted. */
export function filesBelow(folder, below = '') {
  const entries = readdirSync(join(folder, below), { withFileTypes: true });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((e) => (e.isDirectory() ? filesBelow(folder, join(below, e.name)) : [join(below, e.name)]));
}

/** Whatever the umask of the builder: folders 755, files 644, programs 755. */
export function setModes(tree) {
  chmodSync(tree, 0o755);
  for (const entry of readdirSync(tree, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath ?? entry.path, entry.name);
    if (entry.isDirectory()) chmodSync(path, 0o755);
    else if (entry.isFile()) chmodSync(path, lstatSync(path).mode & 0o100 ? 0o755 : 0o644);
  }
}
