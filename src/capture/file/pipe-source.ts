import type { Readable } from 'node:stream';
import type { PacketSource } from '../source.js';
import { CaptureStream } from './stream.js';

/** A pcap or pcapng stream as a packet source, for instance the output of `tcpdump -U -w -`. */
export function openPipeSource(input: Readable, name = 'standard input'): Promise<PacketSource> {
  let stream: CaptureStream | undefined;
  const source: PacketSource = {
    name,
    async run(onBlock, signal) {
      const capture = (stream = new CaptureStream(name, onBlock));
      const stop = (): void => void input.destroy();
      signal.addEventListener('abort', stop, { once: true });
      try {
        for await (const chunk of input) {
          if (signal.aborted) return;
          capture.write(chunk as Uint8Array);
        }
      } catch (error) {
        if (!signal.aborted) throw error;
      } finally {
        signal.removeEventListener('abort', stop);
      }
      if (!signal.aborted) capture.end();
    },
    stats: () => ({ packets: 0, bytes: 0, kernelDrops: 0, reopens: 0, dropsKnown: false, ...stream?.stats }),
    close: () => void input.destroy(),
  };
  return Promise.resolve(source);
}
