import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { runQuietly } from '../lib/output.mjs';
import { setModes } from './deb.mjs';
import { stageDocs } from './product.mjs';

/** What the tarball has besides the product: units, manual page, documents, bill of materials. */
export function stageTarball(root, tree, { manual, bom }) {
  cpSync(join(root, 'systemd'), join(tree, 'systemd'), { recursive: true });
  cpSync(join(root, 'README.md'), join(tree, 'README.md'));
  mkdirSync(join(tree, 'man'), { recursive: true });
  writeFileSync(join(tree, 'man/portcullis.1'), manual);
  writeFileSync(join(tree, 'sbom.cdx.json'), bom);
  stageDocs(root, join(tree, 'docs'));
  setModes(tree);
}

/** A tar archive whose bytes depend on the tree and the time of the sources alone. */
export async function buildTarball(parent, name, file, epochSecs) {
  const order = ['--sort=name', `--mtime=@${epochSecs}`, '--owner=0', '--group=0', '--numeric-owner', '--format=gnu'];
  // gzip would write its own time into the header.
  const env = { ...process.env, GZIP: undefined, LC_ALL: 'C.UTF-8' };
  await runQuietly('tar', [...order, '-I', 'gzip -n -6', '-cf', file, '-C', parent, name], { env, what: 'tar' });
}

/** `sha256sum --check` reads it. */
export function writeChecksums(folder, files) {
  const lines = files.map((name) => {
    const hash = createHash('sha256')
      .update(readFileSync(join(folder, name)))
      .digest('hex');
    return `${hash}  ${name}\n`;
  });
  writeFileSync(join(folder, 'SHA256SUMS'), lines.sort().join(''));
}
