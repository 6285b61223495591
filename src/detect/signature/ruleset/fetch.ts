import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import type { RuleSourceOptions } from '../options.js';
import { readTar } from './tar.js';

/** A file of a source, by its base name. */
export interface SourceFile {
  name: string;
  data: Uint8Array;
}

export interface Fetched {
  files: SourceFile[];
  /** What the download was compared with. */
  checksum: 'sha256' | 'md5' | 'none';
}

const MAX_DOWNLOAD_BYTES = 256 * 1024 * 1024;
const MAX_UNPACKED_BYTES = 1024 * 1024 * 1024;
const MAX_FILES = 5000;
const TIMEOUT_MS = 120_000;
/** Rules, what rules load, and the files that explain them. */
const KEPT = /^[\w][\w.+-]*\.(rules|config|conf|lst|list|csv|txt|md5|sha256|map|lua|dat)$/i;

/** The address without user name and password, for people and logs. */
export function publicUrl(url: string): string {
  return url.replace(/^(\w+:\/\/)[^/@]*@/, '$1');
}

/**
 * Gets a source: an http, https or file URL or a path; a tar archive (also compressed), a folder, or one rule file.
 * @throws {Error} with a sentence for people.
 */
export async function fetchSource(source: RuleSourceOptions, signal: AbortSignal): Promise<Fetched> {
  if (/^https?:/i.test(source.url)) {
    const data = await download(source.url, source, signal);
    const sums = { sha256: source.sha256, md5: undefined as string | undefined };
    if (source.checksum !== 'off' && sums.sha256 === undefined) {
      sums.sha256 = await publishedSum(`${source.url}.sha256`, 64, source, signal);
      if (sums.sha256 === undefined) sums.md5 = await publishedSum(`${source.url}.md5`, 32, source, signal);
    }
    const checksum = verify(data, sums, source.checksum);
    return { files: unpack(new URL(source.url).pathname, data), checksum };
  }
  const path = source.url.startsWith('file:') ? fileURLToPath(source.url) : source.url;
  if (statSync(path).isDirectory()) return { files: readFolder(path), checksum: 'none' };
  const data = readFileSync(path);
  const beside = (kind: string, digits: number): string | undefined => sumIn(readOptional(`${path}.${kind}`), digits);
  const sums =
    source.checksum === 'off'
      ? { sha256: source.sha256, md5: undefined }
      : { sha256: source.sha256 ?? beside('sha256', 64), md5: beside('md5', 32) };
  return { files: unpack(path, data), checksum: verify(data, sums, source.checksum) };
}

function readOptional(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

async function request(url: string, source: RuleSourceOptions, signal: AbortSignal): Promise<Response> {
  const address = new URL(url);
  const headers: Record<string, string> = { 'user-agent': 'portcullis', ...source.headers };
  if (address.username !== '')
    headers['authorization'] =
      `Basic ${Buffer.from(`${decodeURIComponent(address.username)}:${decodeURIComponent(address.password)}`).toString('base64')}`;
  address.username = address.password = '';
  return fetch(address, { headers, signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]) });
}

async function download(url: string, source: RuleSourceOptions, signal: AbortSignal): Promise<Buffer> {
  let response: Response;
  try {
    response = await request(url, source, signal);
  } catch (error) {
    throw new Error(`${publicUrl(url)} ${whyNoAnswer(error)}`, { cause: error });
  }
  if (!response.ok || !response.body)
    throw new Error(`${publicUrl(url)} answers ${response.status} ${response.statusText}`.trim());
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response.body as AsyncIterable<Uint8Array>) {
    length += part.length;
    if (length > MAX_DOWNLOAD_BYTES) throw new Error(`${publicUrl(url)} is larger than ${MAX_DOWNLOAD_BYTES} bytes`);
    parts.push(part);
  }
  const stated = Number(response.headers.get('content-length') ?? NaN);
  const isPlain = response.headers.get('content-encoding') === null;
  if (isPlain && Number.isFinite(stated) && stated !== length)
    throw new Error(`${publicUrl(url)} was cut off: ${length} of ${stated} bytes came`);
  return Buffer.concat(parts);
}

/** What went wrong on the way to an answer, with what to do about a certificate that nobody here knows. */
function whyNoAnswer(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : undefined;
  const reason = cause?.message || (error instanceof Error ? error.message : String(error));
  const code = cause && 'code' in cause ? String(cause.code) : '';
  if (!/CERT|UNABLE_TO_(GET|VERIFY)/.test(code)) return `does not answer: ${reason}`;
  return `shows a certificate that is not accepted: ${reason} (NODE_EXTRA_CA_CERTS names a file with authorities of your own)`;
}

function sumIn(text: string, digits: number): string | undefined {
  return new RegExp(`(?:^|[^0-9a-f])([0-9a-f]{${digits}})(?![0-9a-f])`, 'i').exec(text)?.[1]?.toLowerCase();
}

async function publishedSum(
  url: string,
  digits: number,
  source: RuleSourceOptions,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const response = await request(url, source, signal);
    return response.ok ? sumIn((await response.text()).slice(0, 4096), digits) : undefined;
  } catch {
    return undefined;
  }
}

function verify(
  data: Uint8Array,
  sums: { sha256: string | undefined; md5: string | undefined },
  wanted: RuleSourceOptions['checksum'],
): Fetched['checksum'] {
  for (const kind of ['sha256', 'md5'] as const) {
    const stated = sums[kind];
    if (stated === undefined) continue;
    const found = createHash(kind).update(data).digest('hex');
    if (found !== stated.toLowerCase()) throw new Error(`the ${kind} checksum is ${found}, ${stated} was stated`);
    return kind;
  }
  if (wanted === 'required') throw new Error('no checksum is published, and one is required');
  return 'none';
}

function unpack(path: string, data: Buffer): SourceFile[] {
  const isCompressed = data.length > 2 && data[0] === 0x1f && data[1] === 0x8b;
  const plain = isCompressed ? gunzipSync(data, { maxOutputLength: MAX_UNPACKED_BYTES }) : data;
  const isTar = plain.length >= 512 && plain.subarray(257, 262).toString('latin1') === 'ustar';
  if (isTar) {
    const files: SourceFile[] = [];
    for (const { path: name, data: bytes } of readTar(plain)) {
      if (files.length >= MAX_FILES) throw new Error(`the archive has more than ${MAX_FILES} files`);
      keep(files, name, bytes);
    }
    return files;
  }
  const name = path.replace(/\.gz$/, '').replace(/^.*\//, '');
  if (!name.endsWith('.rules')) throw new Error('is neither a tar archive nor a file whose name ends with .rules');
  return [{ name, data: plain }];
}

/** Folders of an archive do not matter: rule files are known by their names, as in suricata-update. */
function keep(files: SourceFile[], path: string, data: Uint8Array): void {
  const name = path.replace(/^.*[/\\]/, '');
  if (!KEPT.test(name) || /(^|\/)(deleted\.rules|\.git)/.test(path)) return;
  const known = files.findIndex((f) => f.name === name);
  if (known < 0) files.push({ name, data });
  else if (name.endsWith('.rules') && !Buffer.from(files[known]!.data).equals(data))
    files[known] = { name, data: Buffer.concat([files[known]!.data, Buffer.from('\n'), data]) };
}

function readFolder(folder: string): SourceFile[] {
  const files: SourceFile[] = [];
  for (const name of readdirSync(folder).sort()) {
    const path = join(folder, name);
    if (!lstatSync(path).isFile() && !statSync(path).isFile()) continue;
    if (files.length >= MAX_FILES) throw new Error(`the folder has more than ${MAX_FILES} files`);
    if (KEPT.test(name)) keep(files, name, readFileSync(path));
  }
  return files;
}
