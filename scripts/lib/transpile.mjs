/**
 * Strips the types of TypeScript files into a tree of the same shape. Nothing is checked: that is the stage `typecheck`. The
 * compiler options keep every file translatable on its own (`isolatedModules`, `erasableSyntaxOnly`).
 * @param sourcemap 'linked' writes a file beside each output, 'inline' writes it into the output.
 */
export async function transpile(root, { files, outdir, sourcemap }) {
  // Loaded here: this file is imported before `npm ci` has run in a fresh clone.
  const { build } = await import('esbuild');
  await build({
    entryPoints: files.filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts')),
    outdir,
    outbase: root,
    bundle: false,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    sourcemap,
    sourcesContent: false,
    logLevel: 'warning',
  });
}
