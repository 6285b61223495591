import type { Host } from './lab.js';

export interface Capture {
  file: string;
  /** Stops, and tells what tcpdump counted. A lab capture that lost packets is not the truth: callers check. */
  stop(): Promise<{ captured: number; dropped: number }>;
}

/** Writes every frame of a device to a pcap file with microsecond kernel timestamps. Resolves when it is listening. */
export async function startCapture(host: Host, device: string, file: string): Promise<Capture> {
  // Without --immediate-mode, packets of the last second are lost at the stop; -Z root: tcpdump would otherwise give up the right to write into the caller's folder.
  const args = ['-i', device, '-n', '-s', '0', '-B', '65536', '--immediate-mode', '-Z', 'root', '-w', file];
  const tcpdump = host.start('tcpdump', args);
  await tcpdump.waitForOutput(/listening on/);
  const number = (pattern: RegExp, text: string): number => Number(pattern.exec(text)?.[1] ?? NaN);
  const stop = async () => {
    const { stderr } = await tcpdump.stop('SIGINT');
    return {
      captured: number(/(\d+) packets? captured/, stderr),
      dropped: number(/(\d+) packets? dropped by kernel/, stderr),
    };
  };
  return { file, stop };
}
