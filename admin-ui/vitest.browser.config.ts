import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** The console in a real Chromium, against the mock API: `npx vitest run --config admin-ui/vitest.browser.config.ts`. */
export default defineConfig({
  test: {
    root: fileURLToPath(new URL('.', import.meta.url)),
    environment: 'node',
    globalSetup: ['test/support/build-console.ts'],
    include: ['test/browser/**/*.test.ts'],
    maxWorkers: 1,
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
