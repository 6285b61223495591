/** Numbers of capabilities(7). */
export const CAPABILITY = { NET_ADMIN: 12n, NET_RAW: 13n } as const;

/** @param status what /proc/PID/status says of a process (proc(5)) */
export function hasCapability(status: string, capability: bigint): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1];
  return effective !== undefined && ((BigInt(`0x${effective}`) >> capability) & 1n) === 1n;
}
