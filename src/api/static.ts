import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Middleware } from 'koa';
import { contentSecurityPolicy } from './middleware/security-headers.js';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.webmanifest': 'application/manifest+json',
  '.txt': 'text/plain; charset=utf-8',
};
const COMPRESSED = new Set(['.html', '.js', '.css', '.json', '.svg', '.webmanifest']);
/** Vite puts the hash of the content into the names under assets/. */
const HASHED = /^\/assets\/.*-[A-Za-z0-9_-]{8}\.[a-z0-9]+$/;
/** Placeholder in index.html that becomes the nonce of each page. */
export const NONCE_PLACEHOLDER = '__CSP_NONCE__';

interface StaticFile {
  body: Buffer;
  /** Compressed when somebody first asks for it, and then kept; undefined for what is compressed already. */
  gzip: (() => Buffer) | undefined;
  type: string;
  etag: string;
}

/**
 * Reads the built console into memory, by URL path. What is served is what was found at start: no path of a request
 * ever reaches the file system.
 */
export function loadStaticFiles(dir: string): Map<string, StaticFile> {
  const files = new Map<string, StaticFile>();
  for (const name of readdirSync(dir, { recursive: true, encoding: 'utf8' })) {
    const path = join(dir, name);
    const extension = extname(name);
    const type = TYPES[extension];
    if (type === undefined || !statSync(path).isFile()) continue;
    const body = readFileSync(path);
    const url = `/${relative(dir, path).split(sep).join('/')}`;
    files.set(url, {
      body,
      type,
      etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"`,
      gzip: COMPRESSED.has(extension) && url !== '/index.html' ? compressed(body) : undefined,
    });
  }
  return files;
}

function compressed(body: Buffer): () => Buffer {
  let gzip: Buffer | undefined;
  return () => (gzip ??= gzipSync(body, { level: 9 }));
}

/** Serves the console; addresses that are pages of it get index.html. */
export function serveStatic(dir: string): Middleware {
  const files = loadStaticFiles(dir);
  const index = files.get('/index.html')?.body.toString('utf8');

  return async (ctx, next) => {
    const isRead = ctx.method === 'GET' || ctx.method === 'HEAD';
    if (!isRead || ctx.path.startsWith('/api/')) {
      await next();
      return;
    }
    const file = files.get(ctx.path);
    if (file && ctx.path !== '/index.html') {
      ctx.set('Cache-Control', HASHED.test(ctx.path) ? 'public, max-age=31536000, immutable' : 'no-cache');
      ctx.set('ETag', file.etag);
      ctx.vary('Accept-Encoding');
      ctx.type = file.type;
      ctx.status = 200;
      if (ctx.fresh) {
        ctx.status = 304;
        return;
      }
      if (file.gzip && ctx.acceptsEncodings('gzip', 'identity') === 'gzip') {
        ctx.set('Content-Encoding', 'gzip');
        ctx.body = file.gzip();
      } else ctx.body = file.body;
      return;
    }
    // A page may end in an address, /hosts/203.0.113.7: only what looks like a file is missing when it is missing.
    const isPage = ctx.path === '/index.html' || !(ctx.path.startsWith('/assets/') || extname(ctx.path) in TYPES);
    if (index === undefined || !isPage || ctx.accepts('html') === false) {
      await next();
      return;
    }
    const nonce = randomBytes(16).toString('base64');
    ctx.set('Content-Security-Policy', contentSecurityPolicy(nonce));
    ctx.set('Cache-Control', 'no-store');
    ctx.type = 'text/html; charset=utf-8';
    ctx.body = index.replaceAll(NONCE_PLACEHOLDER, nonce);
  };
}
