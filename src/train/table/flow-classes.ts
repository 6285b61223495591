/**
 * The class of a label of flow traffic. What one flow cannot show (a beacon's rhythm, an upload that should not be, the
 * words of a web attack) is left to the behaviour and signature tiers: taught here it would only cost false alarms.
 */
const CLASSES: readonly [RegExp, string][] = [
  [/^(benign|normal)$/, 'benign'],
  [/sweep/, 'host_sweep'],
  [/scan|probe|recon/, 'port_scan'],
  [/slow/, 'slow_http'],
  [/brute|spray|guess|patator/, 'brute_force'],
  [/flood|ddos|amplification|^dos|_dos/i, 'flood'],
  [/tunnel/, 'tunnel'],
];

/** `nmap_syn_scan` -> `port_scan`; undefined for what flow models are not taught. */
export function flowClass(label: string): string | undefined {
  return CLASSES.find(([pattern]) => pattern.test(label))?.[1];
}
