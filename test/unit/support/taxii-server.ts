import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const MEDIA_TYPE = 'application/taxii+json;version=2.1';
const COLLECTION = '91a7b528-80eb-42ed-a74d-c6fbd5a26116';

export interface TaxiiServer {
  /** The discovery resource. */
  url: string;
  collection: string;
  /** STIX objects of the one collection that may be read. */
  objects: Record<string, unknown>[];
  requests: string[];
  close(): Promise<void>;
}

/**
 * A small TAXII 2.1 server (OASIS, TAXII Version 2.1): discovery, one API root, two collections of which one is closed,
 * objects with `match[type]`, `limit` and `next`. It refuses what the standard tells a server to refuse: a wrong Accept
 * header (406), a missing login (401), an unknown page (400).
 */
export async function startTaxiiServer(login: { username: string; password: string }): Promise<TaxiiServer> {
  const state: TaxiiServer = {
    url: '',
    collection: COLLECTION,
    objects: [],
    requests: [],
    close: () => Promise.resolve(),
  };
  const authorization = `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`;

  function send(response: ServerResponse, status: number, body: unknown): void {
    response.writeHead(status, { 'content-type': MEDIA_TYPE }).end(JSON.stringify(body));
  }

  function objects(url: URL, response: ServerResponse): void {
    const type = url.searchParams.get('match[type]');
    const limit = Math.min(Number(url.searchParams.get('limit') ?? 100), 2);
    const from = Number(url.searchParams.get('next') ?? 0);
    if (!Number.isInteger(from)) {
      send(response, 400, { title: 'unknown page' });
      return;
    }
    const all = state.objects.filter((o) => type === null || o['type'] === type);
    const page = all.slice(from, from + limit);
    const more = from + limit < all.length;
    send(response, 200, { objects: page, more, ...(more ? { next: String(from + limit) } : {}) });
  }

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', state.url);
    state.requests.push(url.pathname + url.search);
    if (request.headers.accept !== MEDIA_TYPE) send(response, 406, { title: 'not acceptable' });
    else if (request.headers.authorization !== authorization) send(response, 401, { title: 'unauthorized' });
    else if (url.pathname === '/taxii2/') send(response, 200, { title: 'Test', api_roots: [`${origin}/api1/`] });
    else if (url.pathname === '/api1/') send(response, 200, { title: 'Root', versions: [MEDIA_TYPE] });
    else if (url.pathname === '/api1/collections/')
      send(response, 200, {
        collections: [
          { id: COLLECTION, title: 'Indicators', can_read: true, can_write: false },
          { id: '52892447-4d7e-4f70-b94d-d7f22742ff63', title: 'Closed', can_read: false, can_write: false },
        ],
      });
    else if (url.pathname === `/api1/collections/${COLLECTION}/objects/`) objects(url, response);
    else send(response, 404, { title: 'not found' });
  }

  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  state.url = `${origin}/taxii2/`;
  state.close = () =>
    new Promise((resolve) => {
      server.closeAllConnections();
      server.close(() => {
        resolve();
      });
    });
  return state;
}

let nextId = 0;
/** An indicator object as a TAXII server would hold it. */
export function stixIndicator(pattern: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  const id = String(++nextId).padStart(12, '0');
  return {
    type: 'indicator',
    spec_version: '2.1',
    id: `indicator--00000000-0000-4000-8000-${id}`,
    created: '2025-01-01T00:00:00.000Z',
    modified: '2025-01-01T00:00:00.000Z',
    pattern,
    pattern_type: 'stix',
    valid_from: '2025-01-01T00:00:00Z',
    ...more,
  };
}
