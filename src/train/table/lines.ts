import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { createGunzip } from 'node:zlib';
import { AppError, errorMessage } from '../../util/errors.js';

const MAX_LINE_CHARS = 1 << 20;

export interface LineSummary {
  sha256: string;
  bytes: number;
}

/**
 * Streams a text file, gunzipped when its name ends in `.gz`, line by line in bounded memory.
 * @param onPause called between pieces of the file; reading goes on when it resolves.
 * @returns hash and size of the file as it lies on disk.
 * @throws AppError when it cannot be read, is damaged, or is not lines of text.
 */
export async function readLines(
  path: string,
  onLine: (line: string) => void,
  onPause?: () => Promise<void>,
): Promise<LineSummary> {
  const hash = createHash('sha256');
  let bytes = 0;
  const file = createReadStream(path, { highWaterMark: 1 << 18 });
  file.on('data', (chunk) => {
    hash.update(chunk);
    bytes += chunk.length;
  });
  const gunzip = path.endsWith('.gz') ? createGunzip() : undefined;
  if (gunzip) file.on('error', (error) => gunzip.destroy(error));
  const source = gunzip ? file.pipe(gunzip) : file;
  const decoder = new TextDecoder('utf-8');
  let rest = '';
  try {
    for await (const chunk of source) {
      const text = rest + decoder.decode(chunk as Uint8Array, { stream: true });
      let start = 0;
      for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
        onLine(text.charCodeAt(end - 1) === 13 ? text.slice(start, Math.max(start, end - 1)) : text.slice(start, end));
        start = end + 1;
      }
      rest = text.slice(start);
      if (rest.length > MAX_LINE_CHARS) throw notText(path);
      await onPause?.();
    }
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError({
      kind: 'user',
      code: 'train.data_unreadable',
      message: `Cannot read ${basename(path)}: ${errorMessage(error)}.`,
      fix: 'Check the path, the rights, and that a .gz file is complete (gzip -t).',
      cause: error,
    });
  } finally {
    file.destroy();
  }
  if (rest.length > 0) onLine(rest);
  return { sha256: hash.digest('hex'), bytes };
}

function notText(path: string): AppError {
  return new AppError({
    kind: 'user',
    code: 'train.data_format',
    message: `${basename(path)} is not a table: a line is longer than 1 MiB.`,
    fix: 'Give a CSV file with one flow a line.',
  });
}

/** Fields of one CSV line (RFC 4180: quotes and doubled quotes). */
export function splitCsv(line: string): string[] {
  if (!line.includes('"')) return line.split(',');
  const out: string[] = [];
  let field = '';
  let quoted = false;
  for (let i = 0; i < line.length; i++) {
    const c = line[i]!;
    if (quoted) {
      if (c !== '"') field += c;
      else if (line[i + 1] === '"') {
        field += '"';
        i++;
      } else quoted = false;
    } else if (c === '"') quoted = true;
    else if (c === ',') {
      out.push(field);
      field = '';
    } else field += c;
  }
  out.push(field);
  return out;
}
