import { fileURLToPath } from 'node:url';

/** The tree that runs: the project itself, or its compiled form that `npm test` makes. */
const ROOT = new URL('../../', import.meta.url);
const isCompiled = !import.meta.url.endsWith('.ts');

/**
 * The path of one of our TypeScript files in the form in which the tests run: compiled, or its source.
 * @param file from the project's folder, for instance `src/cli/main.ts`.
 */
export function ourFile(file: string): string {
  return fileURLToPath(new URL(isCompiled ? file.replace(/\.ts$/, '.js') : file, ROOT));
}

/**
 * Arguments of node that run one of our TypeScript files as a program of its own.
 * @param file from the project's folder, for instance `src/cli/main.ts`.
 */
export function nodeArgs(file: string): string[] {
  return isCompiled ? ['--enable-source-maps', ourFile(file)] : ['--import', 'tsx', ourFile(file)];
}
