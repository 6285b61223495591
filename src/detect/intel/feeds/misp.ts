import { asList, asText, FeedError, isRecord, parseJson, type FeedContext, type FoundIndicator } from './reader.js';

/** Attribute types that can be seen on the network, and which part of a pair is the value. */
const TYPES: Readonly<Record<string, 'whole' | 'first' | 'both'>> = {
  'ip-src': 'whole',
  'ip-dst': 'whole',
  'ip-src|port': 'first',
  'ip-dst|port': 'first',
  domain: 'whole',
  hostname: 'whole',
  'hostname|port': 'first',
  'domain|ip': 'both',
  url: 'whole',
  'ja3-fingerprint-md5': 'whole',
  'ja4-fingerprint': 'whole',
  'x509-fingerprint-sha256': 'whole',
};
const MAX_EVENTS = 20_000;

/**
 * A MISP feed folder (manifest.json beside one file an event), one event, or the answer of a MISP search. Only attributes
 * marked for detection (`to_ids`) are used. @returns undefined when nothing changed. @throws FeedError
 */
export async function readMisp(context: FeedContext): Promise<FoundIndicator[] | undefined> {
  const { feed, get } = context;
  const isFolder = !/\.json(\?|$)/i.test(feed.url) && !/restSearch|\/events\//i.test(feed.url);
  if (!isFolder) {
    const answer = await get(feed.url, 'application/json');
    return answer && [...readEvents(parseJson(answer.text, feed.url))];
  }
  const folder = feed.url.replace(/\/?$/, '/');
  const answer = await get(`${folder}manifest.json`, 'application/json');
  if (!answer) return undefined;
  const manifest = parseJson(answer.text, 'manifest.json');
  if (!isRecord(manifest)) throw new FeedError('manifest.json is not a list of events');
  const ids = Object.keys(manifest).filter((id) => /^[0-9a-f-]{36}$/i.test(id));
  if (ids.length > MAX_EVENTS) throw new FeedError(`the feed has more than ${MAX_EVENTS} events`);
  const found: FoundIndicator[] = [];
  for (const id of ids) {
    const event = await get(`${folder}${id}.json`, 'application/json');
    if (event) found.push(...readEvents(parseJson(event.text, `${id}.json`)));
  }
  return found;
}

/** `{Event}`, `{response: [{Event}]}`, `{response: {Attribute: []}}` or a list of any of these. */
function* readEvents(value: unknown): Generator<FoundIndicator> {
  if (Array.isArray(value)) {
    for (const item of value) yield* readEvents(item);
    return;
  }
  if (!isRecord(value)) return;
  if ('response' in value) yield* readEvents(value['response']);
  if ('Event' in value) yield* readEvents(value['Event']);
  const label = asText(value['info']);
  for (const attribute of asList(value['Attribute'])) yield* readAttribute(attribute, label);
  for (const object of asList(value['Object'])) {
    if (isRecord(object)) for (const attribute of asList(object['Attribute'])) yield* readAttribute(attribute, label);
  }
}

function* readAttribute(attribute: unknown, label: string | undefined): Generator<FoundIndicator> {
  if (!isRecord(attribute) || attribute['to_ids'] !== true || attribute['deleted'] === true) return;
  const type = asText(attribute['type']) ?? '';
  const value = asText(attribute['value']) ?? '';
  const where = `attribute ${asText(attribute['uuid']) ?? value}`;
  const use = TYPES[type];
  if (use === undefined) {
    yield { text: '', where, problem: `is of type ${type}, which is not seen on the network` };
    return;
  }
  const seconds = Number(attribute['timestamp']);
  const about = {
    where,
    ...(label === undefined ? {} : { label: label.slice(0, 64) }),
    ...(Number.isFinite(seconds) && seconds > 0 ? { validFromMs: seconds * 1000 } : {}),
  };
  const parts = value.split('|');
  for (const text of use === 'both' ? parts : [use === 'first' ? (parts[0] ?? '') : value]) yield { text, ...about };
}
