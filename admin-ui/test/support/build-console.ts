import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** Folder of the console as built, with a slash at its end. */
    dist: string;
  }
}

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** Builds the console, as `npm start` does, unless it is up to date. */
export default async function setup(project: TestProject): Promise<void> {
  const script = `${ROOT}scripts/lib/build.mjs`;
  const { ensureBuilt } = (await import(script)) as { ensureBuilt: (root: string, part: string) => Promise<void> };
  await ensureBuilt(ROOT, 'console');
  project.provide('dist', `${ROOT}dist/admin-ui/`);
}
