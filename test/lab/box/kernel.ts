import type { Host } from '../lab.js';

/** A set element as nft prints it, or undefined when the kernel has none. */
export async function kernelElement(host: Host, set: string, value: string): Promise<string | undefined> {
  const { code, stdout } = await host.run('nft', ['get', 'element', 'inet', 'portcullis', set, `{ ${value} }`]);
  return code === 0 ? /elements = \{([^}]*)\}/.exec(stdout)?.[1]?.trim() : undefined;
}

/** True when a TCP connection from the address to the port is answered within a minute, however busy the machine is. */
export const connects = (host: Host, from: string, to: string, port: number): Promise<boolean> =>
  connectsIn(60, [host, from, to, port]);

/** True when nobody answers a TCP connection from the address to the port at once. */
export const isShut = async (...where: Where): Promise<boolean> => !(await connectsIn(1, where));

type Where = [host: Host, from: string, to: string, port: number];

async function connectsIn(secs: number, [host, from, to, port]: Where): Promise<boolean> {
  const { code } = await host.run('nc', ['-z', '-w', String(secs), '-s', from, to, String(port)], {
    limitSecs: secs + 60,
  });
  return code === 0;
}
