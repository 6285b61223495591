import vue from '@vitejs/plugin-vue';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** The API that `npx vite` proxies to while developing; the mock server listens on 4173 by default. */
const apiTarget = process.env['PORTCULLIS_API'] ?? 'http://127.0.0.1:4173';

/** What `{{ }}` writes shows hidden characters as escapes: an attacker must not reorder what the console says. */
function visibleText(): Plugin {
  return {
    name: 'visible-text',
    enforce: 'post',
    transform(code, id) {
      if (!/\.vue(\?|$)/.test(id) || !TO_TEXT.test(code)) return undefined;
      const imported = "import { toVisibleText as _toDisplayString } from '@/format/visible-text';";
      return { code: `${imported}${code.replace(TO_TEXT, '')}`, map: null };
    },
  };
}
const TO_TEXT = /\btoDisplayString as _toDisplayString,?/;

export default defineConfig({
  root: here('.'),
  publicDir: here('public'),
  plugins: [vue(), visibleText()],
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
