import type { Host } from '../lab.js';

/** A set element as nft prints it, or undefined when the kernel has none. */
export async function kernelElement(host: Host, set: string, value: string): Promise<string | undefined> {
  const { code, stdout } = await host.run('nft', ['get', 'element', 'inet', 'portcullis', set, `{ ${value} }`]);
  return code === 0 ? /elements = \{([^}]*)\}/.exec(stdout)?.[1]?.trim() : undefined;
}

/** True when a TCP connection from the address to the port is answered in time. */
export async function connects(host: Host, from: string, to: string, port: number): Promise<boolean> {
  const { code } = await host.run('nc', ['-z', '-w', '1', '-s', from, to, String(port)]);
  return code === 0;
}
