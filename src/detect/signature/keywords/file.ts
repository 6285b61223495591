import { parseRange } from '../parse/number.js';
import type { FileHashMatch } from '../rule.js';
import type { Keyword } from './payload.js';

const HEX_LENGTH: Readonly<Record<FileHashMatch['algorithm'], number>> = { md5: 32, sha1: 40, sha256: 64 };

/** `>10KB`, `100<>200`: the size of a file that has come to its end. */
const fileSize: Keyword = (b, value) => {
  b.addTo(b.bufferOf('file.data').matches, { kind: 'file_size', range: parseRange(value) });
};

/** `[!]LIST`: the hash of a whole file is one of a list, or none. */
function fileHash(algorithm: FileHashMatch['algorithm']): Keyword {
  return (b, value) => {
    const negated = value.startsWith('!');
    const lines = b.context.readLines(value.replace(/^!/, '').trim());
    const hashes = new Set<string>();
    for (const line of lines) {
      const text = line.replace(/#.*$/, '').trim().split(/\s+/)[0]!.toLowerCase();
      if (text === '') continue;
      if (text.length !== HEX_LENGTH[algorithm] || !/^[0-9a-f]+$/.test(text))
        throw new Error(`"${text}" in the list is not a hash of ${algorithm}`);
      hashes.add(text);
    }
    b.addTo(b.bufferOf('file.data').matches, { kind: 'file_hash', algorithm, hashes, negated });
  };
}

/** What is stored is for others to say; a rule that asks for it is about files all the same. */
const filestore: Keyword = (b) => {
  b.addTo(b.bufferOf('file.data').matches, { kind: 'bsize', range: { operator: '>=', a: 0, b: 0 } });
};

/** Keywords about whole files; names are buffers and `filename`. */
export const FILE_KEYWORDS: Readonly<Record<string, Keyword>> = {
  filesize: fileSize,
  filestore,
  filemd5: fileHash('md5'),
  filesha1: fileHash('sha1'),
  filesha256: fileHash('sha256'),
};
