import { readFileSync, writeFileSync } from 'node:fs';
import wabt from 'wabt';

/** Assembles src/train/trees/kernel.wat into kernel-bytes.ts. Run after each change of the .wat; a test compares. */
const source = new URL('../src/train/trees/kernel.wat', import.meta.url);
const target = new URL('../src/train/trees/kernel-bytes.ts', import.meta.url);

export async function assembleKernel(): Promise<Uint8Array> {
  const module = (await wabt()).parseWat('kernel.wat', readFileSync(source, 'utf8'), { simd: true, bulk_memory: true });
  try {
    return Uint8Array.from(module.toBinary({}).buffer);
  } finally {
    module.destroy();
  }
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const text = Buffer.from(await assembleKernel()).toString('base64');
  const lines = text.match(/.{1,100}/g) ?? [];
  writeFileSync(
    target,
    `/** kernel.wat, assembled by scripts/models-kernel.ts. */\nexport const KERNEL_WASM_BASE64 =\n${lines.map((l) => `  '${l}'`).join(' +\n')};\n`,
  );
}
