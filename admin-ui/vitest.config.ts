import { fileURLToPath } from 'node:url';
import { defineConfig, mergeConfig } from 'vitest/config';
import viteConfig from './vite.config.js';

export default mergeConfig(
  viteConfig,
  defineConfig({
    test: {
      root: fileURLToPath(new URL('.', import.meta.url)),
      environment: 'happy-dom',
      include: ['test/unit/**/*.test.ts'],
      // Two cores are shared with other work; one worker is enough for this suite.
      maxWorkers: 1,
      // Limits end what hangs; a busy machine is many times slower than a quiet one.
      testTimeout: 60_000,
      hookTimeout: 60_000,
      env: { TZ: 'Europe/Berlin' },
    },
  }),
);
