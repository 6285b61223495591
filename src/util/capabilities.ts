/** capabilities(7) */
const CAP_NET_ADMIN = 12n;

/** @param status what /proc/PID/status says of a process (proc(5)) */
export function hasNetAdmin(status: string): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1];
  return effective !== undefined && ((BigInt(`0x${effective}`) >> CAP_NET_ADMIN) & 1n) === 1n;
}
