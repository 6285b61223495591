import vue from '@vitejs/plugin-vue';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** The API that `npx vite` proxies to while developing; the mock server listens on 4173 by default. */
const apiTarget = process.env['PORTCULLIS_API'] ?? 'http://127.0.0.1:4173';

export default defineConfig({
  root: here('.'),
  publicDir: here('public'),
  plugins: [vue()],
  resolve: {
    alias: {
      '@domain': here('../src/domain'),
      '@contract': here('../src/contract'),
      '@': here('src'),
    },
  },
  build: {
    outDir: here('../dist/admin-ui'),
    emptyOutDir: true,
    target: 'es2022',
    // Inlined assets would need data: in font-src and style-src; every asset stays a file.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
    chunkSizeWarningLimit: 600,
  },
  server: {
    proxy: { '/api/v1': { target: apiTarget, ws: true } },
  },
});
