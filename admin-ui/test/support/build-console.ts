import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** Folder of the console as built for all browser tests of a run. */
    dist: string;
  }
}

/** Builds the console once. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dist = `${await mkdtemp(join(tmpdir(), 'portcullis-console-'))}/`;
  await build({
    configFile: fileURLToPath(new URL('../../vite.config.ts', import.meta.url)),
    logLevel: 'error',
    build: { outDir: dist },
  });
  project.provide('dist', dist);
  return () => rm(dist, { recursive: true, force: true });
}
