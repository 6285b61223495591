import { execa } from 'execa';

/** `nft -i` kept open: what a program without netlink would do to save the start of a process for each block. */
export interface InteractiveNft {
  /** Runs one command and waits until nft has finished it. */
  run(command: string): Promise<void>;
  close(): Promise<void>;
}

/** Asked after each command: answered without the kernel, so its answer marks the command's end. */
const MARK = 'describe icmp type';
const MARK_ANSWER = 'icmp_type';

export function openInteractiveNft(netns: string): InteractiveNft {
  const child = execa('ip', ['netns', 'exec', netns, 'nft', '-i'], { reject: false, buffer: false });
  let output = '';
  let wake: (() => void) | undefined;
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString('latin1');
    if (output.includes(MARK_ANSWER)) wake?.();
  });
  return {
    run: (command) =>
      new Promise((resolve) => {
        output = '';
        wake = () => {
          wake = undefined;
          resolve();
        };
        child.stdin.write(`${command}\n${MARK}\n`);
      }),
    close: async () => {
      child.stdin.end('quit\n');
      child.kill('SIGTERM', undefined);
      await child;
    },
  };
}
