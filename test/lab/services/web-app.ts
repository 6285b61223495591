// The application behind the lab's nginx: a login form, pages that really are injectable, uploads.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { ProductDatabase } from './product-database.js';

const users = new Map([
  ['alice', 'Tulip-4417-garden'],
  ['bob', 'sunshine'],
]);
const db = new ProductDatabase();

function send(response: ServerResponse, status: number, html: string, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'text/html', ...headers }).end(`<!doctype html>${html}`);
}

const FORM =
  '<form method=post action=/app/login><input name=user><input name=pass type=password><button>Log in</button></form>';

function login(response: ServerResponse, body: string): void {
  const form = new URLSearchParams(body);
  const good = users.get(form.get('user') ?? '') === form.get('pass');
  if (good) send(response, 302, 'Welcome', { location: '/app/home', 'set-cookie': 'session=1; HttpOnly' });
  else send(response, 200, `<p>Invalid user name or password</p>${FORM}`);
}

function list(response: ServerResponse, query: () => string[]): void {
  try {
    const items = query().map((name) => `<li>${name}</li>`);
    send(response, 200, `<ul>${items.join('')}</ul>`);
  } catch (error) {
    send(response, 500, `<pre>${error instanceof Error ? error.message : ''}</pre>`);
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('latin1');
}

const server = createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://www.lab.example');
  void bodyOf(request).then((body) => {
    if (url.pathname === '/app/login')
      return request.method === 'POST' ? login(response, body) : send(response, 200, FORM);
    if (url.pathname === '/app/search') return list(response, () => db.search(url.searchParams.get('q') ?? ''));
    if (url.pathname === '/app/product') return list(response, () => db.byId(url.searchParams.get('id') ?? '0'));
    if (url.pathname === '/app/health') return send(response, 200, 'ok');
    if (url.pathname === '/app/upload') return send(response, 200, `${body.length} bytes`);
    return send(response, url.pathname === '/app/home' ? 200 : 404, `<p>${url.pathname}</p>`);
  });
});
server.listen(8080, '127.0.0.1', () => console.log('web-app: ready'));
