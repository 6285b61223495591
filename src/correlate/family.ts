import type { Detection } from '../domain/detection.js';

/** Kinds of behaviour under which tiers can agree although they use different labels. */
const FAMILIES: readonly [family: string, pattern: RegExp][] = [
  ['scan', /scan|sweep|recon|probe|probing|nmap|enumeration/],
  ['guessing', /brute|unsuccessful|password|guess|spray|login|credential|r2l|patator/],
  ['denial', /flood|dos|denial|slow_?http|amplification|slowloris|hulk/],
  ['web', /web|sql|xss|injection|traversal|inclusion|template|rce|shellshock/],
  ['control', /beacon|c2|command.and.control|trojan|malware|botnet|dga|coinmin/],
  ['exfiltration', /exfil|tunnel|leak/],
  ['spoofing', /arp_|rogue|spoof/],
  ['lateral', /lateral/],
];

/** The kind of behaviour a detection speaks of; its own label when it fits none. */
export function familyOf(detection: Detection): string {
  const words = `${detection.label} ${detection.tier === 'signature' ? detection.category : ''}`.toLowerCase();
  return FAMILIES.find(([, pattern]) => pattern.test(words))?.[0] ?? detection.label;
}

/** True when a model says that it is an attack and not which. */
export function isVague(detection: Detection): boolean {
  return detection.tier === 'anomaly' || detection.label === 'unknown' || detection.label === 'attack';
}
