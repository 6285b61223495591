import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { filesUnder } from './build.mjs';

/** What Node starts by path: the program, its child processes and its threads. Files of these names, and no others. */
const PROGRAM = /\/(main|child|worker|[a-z]+-peer)\.[tj]s$/;

/** Packages with add-ons, which find their files beside their own sources. */
const EXTERNAL = ['better-sqlite3', 'cap', 'koffi', 'onnxruntime-node'];

/**
 * First line of every output, and its only one that is not bundled code: packages in CommonJS call `require`, and sources ask
 * for their own place.
 */
const head = (toDist) =>
  `import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url),` +
  `__dist=new URL('${toDist}/',import.meta.url);`;
const PLACE = '@@dist@@';

/**
 * Bundles every program under `src` with the packages it needs: a daemon opens some twenty files when it starts instead of two
 * thousand. What is imported by `import()` stays a file of its own, read when it is needed.
 * Names stay as they are: the database remembers migrations by the names of their classes.
 * @returns what was written, all below `dist`.
 */
export async function bundle(root, dist) {
  // Loaded here: this file is imported before `npm ci` has run in a fresh clone.
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    entryPoints: filesUnder(join(root, 'src')).filter((file) => PROGRAM.test(file)),
    outdir: dist,
    outbase: root,
    chunkNames: 'src/chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    external: EXTERNAL,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    sourcemap: 'linked',
    sourcesContent: false,
    logLevel: 'warning',
    banner: { js: head(PLACE) },
    plugins: [ownPlace(root)],
    write: false,
  });
  // Programs last: what they import is there before they are.
  const isProgram = ({ path }) => Number(PROGRAM.test(path));
  const ordered = [...outputFiles].sort((a, b) => isProgram(a) - isProgram(b));
  for (const { path, text } of ordered) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text.replace(PLACE, relative(dirname(path), dist)));
  }
  return ordered.map(({ path }) => path);
}

/** A source finds the program beside it by `import.meta.url`, wherever its code ends up. */
function ownPlace(root) {
  return {
    name: 'own-place',
    setup(build) {
      build.onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path }) => {
        const text = readFileSync(path, 'utf8');
        if (path.includes('/node_modules/') || !text.includes('import.meta.url')) return undefined;
        const place = JSON.stringify(relative(root, path).replace(/\.ts$/, '.js'));
        return { contents: text.replaceAll('import.meta.url', `new URL(${place}, __dist).href`), loader: 'ts' };
      });
    },
  };
}
