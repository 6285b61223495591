// `npm run package`: a Debian package, a tarball, their bill of materials and checksums in dist/packages.
//   --version V   version of the package when it is not the one of package.json (0.1.0+site1)
//   --stage DIR   only lay out the Debian package in DIR, for checks
//   --no-build    take dist/ as it is
//   --no-deb      only the tarball
//   --out DIR     instead of dist/packages
import { mkdirSync, renameSync, statSync, rmSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureBuilt } from './lib/build.mjs';
import { hasCommand } from './lib/debian.mjs';
import { progress, runScript, SetupError } from './lib/output.mjs';
import { ARCHITECTURES, buildDeb, setModes, stageDeb } from './package/deb.mjs';
import { manualPage } from './package/manual.mjs';
import { emptyFolder, proveProduct, stageProduct } from './package/product.mjs';
import { billOfMaterials } from './package/sbom.mjs';
import { buildTarball, stageTarball, writeChecksums } from './package/tarball.mjs';
import { ROOT } from './setup.mjs';

const VERSION = /^[0-9][A-Za-z0-9.+~]*$/;

const { values: options } = parseArgs({
  options: {
    version: { type: 'string' },
    stage: { type: 'string' },
    out: { type: 'string' },
    'no-build': { type: 'boolean' },
    'no-deb': { type: 'boolean' },
  },
});

/** Time of the sources: SOURCE_DATE_EPOCH, else that of the last commit, else that of the list of changes. */
function sourceEpoch() {
  const given = process.env.SOURCE_DATE_EPOCH;
  if (given !== undefined) return Number(given);
  try {
    const args = ['-C', ROOT, 'log', '-1', '--format=%ct'];
    return Number(execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
  } catch {
    return Math.floor(statSync(join(ROOT, 'CHANGELOG.md')).mtimeMs / 1000);
  }
}

async function main() {
  const architecture = ARCHITECTURES[process.arch];
  if (process.platform !== 'linux' || architecture === undefined)
    throw new SetupError(`Packages are made on Linux, x64 or arm64; this is ${process.platform} ${process.arch}.`);
  if (!options['no-build']) await ensureBuilt(ROOT);
  const epochSecs = sourceEpoch();
  const out = options.out ?? join(ROOT, 'dist/packages');
  const work = emptyFolder(options.stage ?? join(out, '.package'));
  const tree = join(work, 'deb');
  const product = join(tree, 'usr/lib/portcullis');

  progress('laying out the product');
  const productVersion = stageProduct(ROOT, product);
  const version = options.version ?? productVersion;
  if (!VERSION.test(version)) throw new SetupError(`${version} is not a version of a Debian package.`);
  setModes(product);
  proveProduct(product, productVersion);
  const bom = await billOfMaterials(ROOT, { name: 'portcullis', version, epochSecs });
  const manual = manualPage(join(product, 'bin/portcullis'), { version, epochSecs });
  const changelogDate = new Date(epochSecs * 1000).toUTCString().replace('GMT', '+0000');
  stageDeb(ROOT, tree, { version, manual, bom, changelogDate });
  if (options.stage !== undefined) return;

  mkdirSync(out, { recursive: true });
  const made = [];
  if (options['no-deb']) progress('no Debian package is asked for');
  else if (hasCommand('dpkg-deb')) {
    const deb = `portcullis_${version}_${architecture}.deb`;
    progress(`building ${deb}`);
    await buildDeb(tree, join(out, deb), epochSecs);
    made.push(deb);
  } else progress('dpkg-deb is not here: no Debian package');
  const name = `portcullis-${version}-linux-${process.arch}`;
  renameSync(product, join(work, name));
  stageTarball(ROOT, join(work, name), { manual, bom });
  progress(`building ${name}.tar.gz`);
  await buildTarball(work, name, join(out, `${name}.tar.gz`), epochSecs);
  made.push(`${name}.tar.gz`);
  execFileSync('cp', [join(work, name, 'sbom.cdx.json'), join(out, `portcullis-${version}.cdx.json`)]);
  made.push(`portcullis-${version}.cdx.json`);
  writeChecksums(out, made);
  rmSync(work, { recursive: true });
  for (const file of made) progress(`dist/packages/${file}: ${(statSync(join(out, file)).size / 1e6).toFixed(1)} MB`);
}

await runScript(main);
