import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { runQuietly, SetupError } from '../lib/output.mjs';
import { productionPackages } from './modules.mjs';

/**
 * The software bill of materials (CycloneDX, JSON) of what is in the package: npm's, with the Node.js that comes along, and
 * with nothing that differs between two builds of the same sources.
 */
export async function billOfMaterials(root, { name, version, epochSecs }) {
  // The lock file alone: npm refuses to look into a node_modules that is a link.
  const args = [
    'sbom',
    '--package-lock-only',
    '--omit',
    'dev',
    '--sbom-format',
    'cyclonedx',
    '--sbom-type',
    'application',
  ];
  const bom = parse(await runQuietly('npm', args, { cwd: root, what: 'npm sbom' }));
  keepOnly(bom, productionPackages(root));
  const node = process.versions.node;
  bom.components.push({
    'bom-ref': `node@${node}`,
    type: 'platform',
    name: 'node',
    version: node,
    scope: 'required',
    description: `Node.js runtime, ${realpathSync(process.execPath).split('/').pop()} of the build`,
    purl: `pkg:generic/node@${node}`,
    licenses: [{ license: { id: 'MIT' } }],
  });
  bom.components.sort((a, b) => (a['bom-ref'] < b['bom-ref'] ? -1 : 1));
  bom.metadata.component.name = name;
  bom.metadata.timestamp = new Date(epochSecs * 1000).toISOString();
  bom.serialNumber = `urn:uuid:${uuidOf(JSON.stringify([name, version, bom.components]))}`;
  return `${JSON.stringify(bom, undefined, 2)}\n`;
}

/** The lock file names the packages of every platform; a bill is of what is there. */
function keepOnly(bom, packages) {
  const product = bom.metadata.component['bom-ref'];
  const isThere = (ref) => ref === product || packages.has(ref);
  bom.components = bom.components.filter(({ name, version }) => packages.has(`${name}@${version}`));
  bom.dependencies = bom.dependencies
    .filter(({ ref }) => isThere(ref))
    .map((entry) => ({ ...entry, dependsOn: (entry.dependsOn ?? []).filter(isThere) }));
}

/** npm may warn about its own settings before the document. */
function parse(output) {
  const start = output.indexOf('{');
  const end = output.lastIndexOf('}');
  if (start < 0 || end < start) throw new SetupError(`npm sbom wrote no document:\n${output}`);
  return JSON.parse(output.slice(start, end + 1));
}

/** A UUID of version 8 (RFC 9562) from a text. */
function uuidOf(text) {
  const hex = createHash('sha256').update(text).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}
