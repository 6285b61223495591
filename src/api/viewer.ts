import type { Middleware } from 'koa';
import { VIEWER_SCRIPT } from './viewer-client.js';

/** The page that shows the API document, from our own files: no script of anybody else. */
const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Portcullis API</title>
    <link rel="stylesheet" href="/api-docs/viewer.css" />
    <script src="/api-docs/viewer.js" defer></script>
  </head>
  <body>
    <header>
      <h1>Portcullis API</h1>
      <label>Search <input id="search" type="search" placeholder="alerts, decision, /export ..." /></label>
      <a href="/openapi.json" download>openapi.json</a>
    </header>
    <main id="operations" aria-live="polite">Loading the document …</main>
  </body>
</html>
`;

const STYLE = `:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 70rem; padding: 1rem; }
header { display: flex; flex-wrap: wrap; gap: 1rem; align-items: baseline; }
h1 { font-size: 1.4rem; margin: 0; }
h2 { font-size: 1.1rem; margin: 1.5rem 0 0.5rem; }
input { font: inherit; padding: 0.2rem 0.4rem; width: 18rem; }
details { border: 1px solid #8886; border-radius: 4px; margin: 0.25rem 0; padding: 0.25rem 0.75rem; }
summary { cursor: pointer; }
code, pre { font: 13px/1.4 ui-monospace, monospace; }
pre { overflow: auto; max-height: 24rem; background: #8882; padding: 0.5rem; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; padding: 0.2rem 0.6rem 0.2rem 0; vertical-align: top; }
.method { display: inline-block; width: 4.5rem; font-weight: 600; }
.access { float: right; opacity: 0.75; }
`;

/** Serves the viewer under /api-docs. */
export function apiViewer(): Middleware {
  const files: Readonly<Record<string, [type: string, body: string]>> = {
    '/api-docs': ['text/html; charset=utf-8', PAGE],
    '/api-docs/viewer.css': ['text/css; charset=utf-8', STYLE],
    '/api-docs/viewer.js': ['text/javascript; charset=utf-8', VIEWER_SCRIPT],
  };
  return async (ctx, next) => {
    const file = ctx.method === 'GET' || ctx.method === 'HEAD' ? files[ctx.path] : undefined;
    if (!file) {
      await next();
      return;
    }
    ctx.type = file[0];
    ctx.set('Cache-Control', 'no-cache');
    ctx.body = file[1];
  };
}
