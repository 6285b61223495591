import { asList, asText, asTime, FeedError, isRecord, parseJson, type FoundIndicator } from './reader.js';

/** Properties of cyber-observable objects that can be seen on the network. */
const VALUE_OF: Readonly<Record<string, RegExp>> = {
  'ipv4-addr': /^value$/,
  'ipv6-addr': /^value$/,
  'domain-name': /^value$/,
  url: /^value$/,
  'x509-certificate': /^hashes\.'?SHA-?256'?$/i,
  'network-traffic': /(ja3|ja4)[a-z_-]*'?$/i,
};
const COMPARISON =
  /([a-z0-9-]+):([^\s=!<>]+)\s*(=|ISSUBSET|IN)\s*(\((?:[^()']|'(?:[^'\\]|\\.)*')*\)|'(?:[^'\\]|\\.)*')/g;
/** The beginning of any comparison, whatever it is compared with. */
const ANY_COMPARISON = /[a-z0-9-]+:[^\s=!<>]+\s*(=|ISSUBSET|IN)/g;
const STRING = /'((?:[^'\\]|\\.)*)'/g;

/** Indicators of a STIX 2.1 bundle (OASIS, STIX Version 2.1, section 4.7). @throws FeedError */
export function* readStixBundle(text: string): Generator<FoundIndicator> {
  const bundle = parseJson(text, 'the bundle');
  if (!isRecord(bundle) || bundle['type'] !== 'bundle') throw new FeedError('the file is not a STIX bundle');
  yield* readStixObjects(asList(bundle['objects']));
}

/** Of several versions of an object the newest counts; revoked ones are left out. */
export function* readStixObjects(objects: readonly unknown[]): Generator<FoundIndicator> {
  const newest = new Map<string, Record<string, unknown>>();
  for (const object of objects) {
    if (!isRecord(object) || object['type'] !== 'indicator') continue;
    const id = asText(object['id']) ?? '';
    const known = newest.get(id);
    if (!known || (asTime(object['modified']) ?? 0) >= (asTime(known['modified']) ?? 0)) newest.set(id, object);
  }
  for (const [id, object] of newest) if (object['revoked'] !== true) yield* readIndicator(id, object);
}

function* readIndicator(id: string, object: Record<string, unknown>): Generator<FoundIndicator> {
  const pattern = asText(object['pattern']) ?? '';
  const patternType = asText(object['pattern_type']) ?? 'stix';
  if (patternType !== 'stix') {
    yield { text: '', where: id, problem: `is a pattern of type ${patternType}` };
    return;
  }
  const values = valuesOf(pattern);
  if (typeof values === 'string') {
    yield { text: '', where: id, problem: values };
    return;
  }
  const confidence = object['confidence'];
  const label = asText(asList(object['indicator_types'])[0]) ?? asText(asList(object['labels'])[0]);
  const about = {
    where: id,
    ...(typeof confidence === 'number' ? { confidence: confidence / 100 } : {}),
    ...(label === undefined ? {} : { label }),
    ...time('validFromMs', object['valid_from']),
    ...time('validUntilMs', object['valid_until']),
  };
  for (const text of values) yield { text, ...about };
}

function time(key: 'validFromMs' | 'validUntilMs', value: unknown): object {
  const ms = asTime(value);
  return ms === undefined ? {} : { [key]: ms };
}

/**
 * The values that a pattern accepts, each by itself. @returns why not, when the pattern needs several things together or
 * speaks of what is not seen on the network.
 */
export function valuesOf(pattern: string): string[] | string {
  const outside = pattern.replaceAll(STRING, "''");
  if (/\b(FOLLOWEDBY|REPEATS|WITHIN)\b/.test(outside)) return 'combines several observations';
  if (/\bNOT\b|!=|\b(LIKE|MATCHES|ISSUPERSET)\b|[<>]/.test(outside)) return 'is more than a list of values';
  const values: string[] = [];
  let ignored = '';
  let comparisons = 0;
  for (const [, object = '', path = '', , literal = ''] of pattern.matchAll(COMPARISON)) {
    comparisons++;
    const isValue = VALUE_OF[object]?.test(path) === true || /^(src|dst)_ref\.value$/.test(path);
    if (!isValue) {
      // `dst_ref.type = 'ipv4-addr'` says what the value beside it says anyway.
      if (!/_ref\.type$/.test(path)) ignored = `${object}:${path}`;
      continue;
    }
    for (const [, value = ''] of literal.matchAll(STRING)) values.push(value.replaceAll(/\\(.)/g, '$1'));
  }
  if (comparisons === 0) return 'has a pattern that is not understood';
  if ([...outside.matchAll(ANY_COMPARISON)].length > comparisons) return 'is more than a list of values';
  if (/\bAND\b/.test(outside) && (ignored !== '' || values.length > 1)) return 'combines several conditions';
  if (values.length === 0) return `is about ${ignored}, which is not seen on the network`;
  return values;
}
