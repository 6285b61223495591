import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { progress, runQuietly } from './output.mjs';

/** What is built from what. `output` must exist for the stamp to count. */
const PARTS = [
  {
    name: 'server',
    script: 'build:server',
    inputs: ['src', 'migrations', 'scripts/lib/bundle.mjs', 'tsconfig.json', 'package-lock.json'],
    output: 'dist/src/cli/main.js',
  },
  {
    name: 'console',
    script: 'build:console',
    inputs: ['admin-ui', 'src/contract', 'src/domain', 'package-lock.json'],
    output: 'dist/admin-ui/index.html',
  },
];

/** Builds the parts (`server`, `console`; both if none is named) whose sources changed since their last build. */
export async function ensureBuilt(root, ...names) {
  for (const part of PARTS) {
    if (names.length > 0 && !names.includes(part.name)) continue;
    const stamp = join(root, `dist/.${part.name}.stamp`);
    const hash = hashOf(root, part.inputs);
    const fresh = existsSync(join(root, part.output)) && existsSync(stamp) && readFileSync(stamp, 'utf8') === hash;
    if (fresh) continue;
    progress(`building the ${part.name}`);
    await runQuietly('npm', ['run', '--silent', part.script], { cwd: root, what: `npm run ${part.script}` });
    writeFileSync(stamp, hash);
  }
}

/** SHA-256 over the names and contents of files and folders. */
function hashOf(root, inputs) {
  const hash = createHash('sha256');
  for (const input of inputs) {
    for (const file of filesUnder(join(root, input))) {
      hash
        .update(`${relative(root, file)}\0`)
        .update(readFileSync(file))
        .update('\0');
    }
  }
  return hash.digest('hex');
}

/** All files of a folder in a fixed order, or the file itself; nothing when it does not exist. */
export function filesUnder(path) {
  if (!existsSync(path)) return [];
  let entries;
  try {
    entries = readdirSync(path, { withFileTypes: true });
  } catch {
    return [path];
  }
  const names = entries.filter((e) => e.name !== 'node_modules' && e.name !== 'dist');
  names.sort((a, b) => (a.name < b.name ? -1 : 1));
  return names.flatMap((e) => (e.isDirectory() ? filesUnder(join(path, e.name)) : [join(path, e.name)]));
}
