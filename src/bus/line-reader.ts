/**
 * Cuts a byte stream into lines. Bytes of an unfinished line are kept as they came and joined once, so a long line
 * costs linear time.
 * @param onLine one line without its end; must not be kept after it returns.
 * @param onTooLong the stream is beyond repair: nothing more is read from it.
 */
export function createLineReader(
  maxLineBytes: number,
  onLine: (line: string) => void,
  onTooLong: () => void,
): (chunk: Buffer) => void {
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let stopped = false;

  return (chunk) => {
    let start = 0;
    while (!stopped) {
      const end = chunk.indexOf(10, start);
      const length = (end < 0 ? chunk.length : end) - start;
      if (pendingBytes + length > maxLineBytes) {
        stopped = true;
        pending = [];
        onTooLong();
        return;
      }
      if (end < 0) {
        if (length > 0) {
          pending.push(start === 0 ? chunk : chunk.subarray(start));
          pendingBytes += length;
        }
        return;
      }
      if (pendingBytes === 0) onLine(chunk.toString('utf8', start, end));
      else {
        pending.push(chunk.subarray(start, end));
        const line = Buffer.concat(pending, pendingBytes + length);
        pending = [];
        pendingBytes = 0;
        onLine(line.toString('utf8'));
      }
      start = end + 1;
    }
  };
}
