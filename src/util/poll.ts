import koffi from 'koffi';

/**
 * Watches a descriptor in Node's own event loop; no thread waits.
 * @param onReady gets `failed` when the descriptor has an error pending; it is then no longer watched.
 */
export function watchReadable(fd: number, onReady: (failed: boolean) => void): { close(): void } {
  // koffi 3.3 calls back with libuv's status first, which its types do not say.
  const listener: unknown = (status: number) => onReady(status < 0);
  const poll = koffi.node.poll as (fd: number, options: object, listener: unknown) => { close(): void };
  return poll(fd, { readable: true }, listener);
}
