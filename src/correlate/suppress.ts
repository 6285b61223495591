import type { Detection } from '../domain/detection.js';
import { cidrContains, parseCidr, parseIp, type Cidr } from '../util/ip.js';
import type { CorrelateOptions } from './options.js';

/** Builds the test whether a detection is suppressed. Networks that cannot be read never match. */
export function createSuppression(entries: CorrelateOptions['suppress']): (d: Detection, nowMs: number) => boolean {
  const rules = entries.map((entry) => ({
    ...entry,
    offenderNet: entry.offender === undefined ? undefined : parseCidr(entry.offender),
    victimNet: entry.victim === undefined ? undefined : parseCidr(entry.victim),
  }));
  return (d, nowMs) =>
    rules.some(
      (r) =>
        (r.untilMs === 0 || nowMs < r.untilMs) &&
        (r.gid === undefined || r.gid === d.gid) &&
        (r.label === undefined || r.label === d.label) &&
        (r.signatureId === undefined || r.signatureId === d.signatureId) &&
        (r.offender === undefined || contains(r.offenderNet, d.offender)) &&
        (r.victim === undefined || contains(r.victimNet, d.victim ?? d.dstIp)),
    );
}

function contains(network: Cidr | undefined, address: string): boolean {
  const ip = parseIp(address);
  return network !== undefined && ip !== undefined && cidrContains(network, ip);
}
