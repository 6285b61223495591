import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { runQuietly, SetupError } from '../lib/output.mjs';

/**
 * The software bill of materials (CycloneDX, JSON) of what is in the package: npm's, with the Node.js that comes along, and
 * with nothing that differs between two builds of the same sources.
 */
export async function billOfMaterials(root, { name, version, epochSecs }) {
  const args = ['sbom', '--omit', 'dev', '--sbom-format', 'cyclonedx', '--sbom-type', 'application'];
  const bom = parse(await runQuietly('npm', args, { cwd: root, what: 'npm sbom' }));
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
