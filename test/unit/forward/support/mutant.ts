import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { transformSync } from 'esbuild';

const suffix = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../../../..');

/**
 * Loads a copy of one of our source files with one piece of code exchanged: proof that a test notices the fault.
 * @param replace the piece, which must occur exactly once, and what takes its place.
 */
export async function loadMutant<T>(file: string, replace: readonly [string, string]): Promise<T> {
  const path = join(ROOT, file);
  const source = readFileSync(path, 'utf8');
  if (source.split(replace[0]).length !== 2) throw new Error(`"${replace[0]}" must occur once in ${file}`);
  const here = pathToFileURL(`${dirname(path)}/`);
  const text = transformSync(
    source
      .replace(replace[0], () => replace[1])
      .replace(/from '(\.[^']+)\.js'/g, (_all, to: string) => `from '${new URL(`${to}.${suffix}`, here).href}'`),
    { loader: 'ts', format: 'esm' },
  ).code;
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-mutant-'));
  try {
    const copy = join(dir, 'mutant.mjs');
    writeFileSync(copy, text);
    return (await import(pathToFileURL(copy).href)) as T;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
