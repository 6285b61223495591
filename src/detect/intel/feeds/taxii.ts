import { readStixObjects } from './stix.js';
import { asList, asText, FeedError, isRecord, parseJson, type FeedContext, type FoundIndicator } from './reader.js';

const MEDIA_TYPE = 'application/taxii+json;version=2.1';
const PAGE_OBJECTS = 1000;
/** Pages of one collection; more is not read and said. */
const MAX_PAGES = 2000;
const MAX_COLLECTIONS = 100;

/**
 * Indicators of TAXII 2.1 collections (OASIS, TAXII Version 2.1). The URL names a discovery resource, an API root, or one
 * collection. @throws FeedError
 */
export async function readTaxii(context: FeedContext): Promise<FoundIndicator[]> {
  const found: FoundIndicator[] = [];
  for (const collection of await collectionUrls(context)) {
    found.push(...readStixObjects(await objectsOf(collection, context)));
  }
  return found;
}

async function ask(url: string, { get }: FeedContext): Promise<{ body: Record<string, unknown>; headers: Headers }> {
  const answer = await get(url, MEDIA_TYPE);
  if (!answer) throw new FeedError(`${url} gave no answer`);
  const body = parseJson(answer.text === '' ? '{}' : answer.text, url);
  if (!isRecord(body)) throw new FeedError(`${url} does not answer as TAXII 2.1 does`);
  return { body, headers: answer.headers };
}

async function collectionUrls(context: FeedContext): Promise<string[]> {
  const start = slashed(context.feed.url);
  if (/\/collections\/[^/]+\/$/.test(new URL(start).pathname)) return [start];
  const { body } = await ask(start, context);
  const roots = Array.isArray(body['api_roots'])
    ? asList(body['api_roots']).flatMap((root) =>
        typeof root === 'string' ? [slashed(new URL(root, start).href)] : [],
      )
    : [start];
  const urls: string[] = [];
  for (const root of roots) {
    const { body: list } = await ask(`${root}collections/`, context);
    for (const collection of asList(list['collections'])) {
      if (!isRecord(collection) || collection['can_read'] === false) continue;
      const id = asText(collection['id']);
      if (id !== undefined && urls.length < MAX_COLLECTIONS) urls.push(`${root}collections/${encodeURIComponent(id)}/`);
    }
  }
  if (urls.length === 0) throw new FeedError(`${start} offers no collection that may be read`);
  return urls;
}

async function objectsOf(collection: string, context: FeedContext): Promise<unknown[]> {
  const objects: unknown[] = [];
  let next: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const url = new URL('objects/', collection);
    url.searchParams.set('match[type]', 'indicator');
    url.searchParams.set('limit', String(PAGE_OBJECTS));
    if (next !== undefined) url.searchParams.set('next', next);
    const { body } = await ask(url.href, context);
    objects.push(...asList(body['objects']));
    if (body['more'] !== true) return objects;
    const token = asText(body['next']);
    if (token === undefined || token === next)
      throw new FeedError(`${collection} promises more and does not say where`);
    next = token;
  }
  throw new FeedError(`${collection} has more than ${MAX_PAGES} pages`);
}

function slashed(url: string): string {
  return url.endsWith('/') ? url : `${url}/`;
}
