import { UNKNOWN_LABEL } from '../../contract/model-card.js';
import type { AttackReference } from '../../domain/detection.js';
import type { Severity } from '../../domain/severity.js';
import type { Knowledge } from '../scoring/knowledge.js';

interface Family {
  /** Tried in order against the class name. */
  pattern: RegExp;
  title: string;
  category: string;
  severity: Severity;
  offender?: 'destination';
  attack?: AttackReference;
}

const technique = (
  tacticId: string,
  tacticName: string,
  techniqueId: string,
  techniqueName: string,
): AttackReference => ({
  tacticId,
  tacticName,
  techniqueId,
  techniqueName,
});

/** Classes of our own and of public data sets, with MITRE ATT&CK techniques (Enterprise matrix). */
const FAMILIES: readonly Family[] = [
  {
    pattern: /brute|patator|guess_passwd|password/,
    title: 'Password guessing',
    category: 'brute-force',
    severity: 'high',
    attack: technique('TA0006', 'Credential Access', 'T1110', 'Brute Force'),
  },
  {
    pattern: /scan|probe|sweep|nmap|satan|recon|mscan|saint/,
    title: 'Scanning',
    category: 'reconnaissance',
    severity: 'medium',
    attack: technique('TA0043', 'Reconnaissance', 'T1595', 'Active Scanning'),
  },
  {
    pattern: /slow/,
    title: 'Slow denial of service',
    category: 'denial-of-service',
    severity: 'high',
    attack: technique('TA0040', 'Impact', 'T1499.002', 'Service Exhaustion Flood'),
  },
  {
    pattern: /dos|flood|neptune|smurf|teardrop|hulk|goldeneye/,
    title: 'Denial of service',
    category: 'denial-of-service',
    severity: 'high',
    attack: technique('TA0040', 'Impact', 'T1498', 'Network Denial of Service'),
  },
  {
    pattern: /tunnel/,
    title: 'Tunnel in another protocol',
    category: 'exfiltration',
    severity: 'high',
    attack: technique('TA0011', 'Command and Control', 'T1572', 'Protocol Tunneling'),
  },
  {
    pattern: /exfil/,
    title: 'Data leaves the network',
    category: 'exfiltration',
    severity: 'critical',
    attack: technique('TA0010', 'Exfiltration', 'T1048', 'Exfiltration Over Alternative Protocol'),
  },
  {
    pattern: /c2|c_c|beacon|bot|command_and_control|malware|trojan|rat$/,
    title: 'Call to a control server',
    category: 'command-and-control',
    severity: 'critical',
    offender: 'destination',
    attack: technique('TA0011', 'Command and Control', 'T1071', 'Application Layer Protocol'),
  },
  {
    pattern: /web|sql|xss|inject|traversal/,
    title: 'Attack on a web application',
    category: 'web-attack',
    severity: 'high',
    attack: technique('TA0001', 'Initial Access', 'T1190', 'Exploit Public-Facing Application'),
  },
  { pattern: /r2l|u2r|infiltration|exploit/, title: 'Intrusion', category: 'intrusion', severity: 'high' },
];

/** What to say about a class the classifier reports. */
export function classKnowledge(label: string): Knowledge {
  if (label === UNKNOWN_LABEL) {
    return { title: 'Attack of an unknown kind', category: 'unknown', severity: 'medium', offender: 'source' };
  }
  const family = FAMILIES.find((f) => f.pattern.test(label));
  return {
    title: family
      ? `${family.title} (${label.replaceAll('_', ' ')})`
      : `Traffic classified as ${label.replaceAll('_', ' ')}`,
    category: family?.category ?? 'classified',
    severity: family?.severity ?? 'medium',
    offender: family?.offender ?? 'source',
    ...(family?.attack ? { attack: family.attack } : {}),
  };
}
