import type { AttackReference } from '../../domain/detection.js';
import type { Severity } from '../../domain/severity.js';

/** What a behaviour is, apart from how it is found. Ids are stable: never reused, never renumbered (gid 2). */
export interface BehaviourEntry {
  id: number;
  rev: number;
  label: string;
  title: string;
  category: string;
  severity: Severity;
  attack: AttackReference;
}

const RECONNAISSANCE = { tacticId: 'TA0043', tacticName: 'Reconnaissance' };
const DISCOVERY = { tacticId: 'TA0007', tacticName: 'Discovery' };
const CREDENTIALS = { tacticId: 'TA0006', tacticName: 'Credential Access' };
const IMPACT = { tacticId: 'TA0040', tacticName: 'Impact' };
const COMMAND = { tacticId: 'TA0011', tacticName: 'Command and Control' };
const EXFILTRATION = { tacticId: 'TA0010', tacticName: 'Exfiltration' };
const LATERAL = { tacticId: 'TA0008', tacticName: 'Lateral Movement' };

const SCANNING = { ...RECONNAISSANCE, techniqueId: 'T1595.001', techniqueName: 'Scanning IP Blocks' };
const SERVICES = { ...DISCOVERY, techniqueId: 'T1046', techniqueName: 'Network Service Discovery' };
const REMOTE_SYSTEMS = { ...DISCOVERY, techniqueId: 'T1018', techniqueName: 'Remote System Discovery' };
const GUESSING = { ...CREDENTIALS, techniqueId: 'T1110.001', techniqueName: 'Password Guessing' };
const SPRAYING = { ...CREDENTIALS, techniqueId: 'T1110.003', techniqueName: 'Password Spraying' };
const FLOOD = { ...IMPACT, techniqueId: 'T1498.001', techniqueName: 'Direct Network Flood' };
const AMPLIFICATION = { ...IMPACT, techniqueId: 'T1498.002', techniqueName: 'Reflection Amplification' };
const SERVICE_FLOOD = { ...IMPACT, techniqueId: 'T1499.002', techniqueName: 'Service Exhaustion Flood' };
const OS_FLOOD = { ...IMPACT, techniqueId: 'T1499.001', techniqueName: 'OS Exhaustion Flood' };
const DNS = { ...COMMAND, techniqueId: 'T1071.004', techniqueName: 'Application Layer Protocol: DNS' };
const DGA = { ...COMMAND, techniqueId: 'T1568.002', techniqueName: 'Domain Generation Algorithms' };
const BEACON = { ...COMMAND, techniqueId: 'T1071', techniqueName: 'Application Layer Protocol' };
const NON_APPLICATION = { ...COMMAND, techniqueId: 'T1095', techniqueName: 'Non-Application Layer Protocol' };
const ARP = { ...CREDENTIALS, techniqueId: 'T1557.002', techniqueName: 'ARP Cache Poisoning' };
const DHCP = { ...CREDENTIALS, techniqueId: 'T1557.003', techniqueName: 'DHCP Spoofing' };
const MIDDLE = { ...CREDENTIALS, techniqueId: 'T1557', techniqueName: 'Adversary-in-the-Middle' };
const OUTFLOW = { ...EXFILTRATION, techniqueId: 'T1048', techniqueName: 'Exfiltration Over Alternative Protocol' };
const REMOTE_SERVICES = { ...LATERAL, techniqueId: 'T1021', techniqueName: 'Remote Services' };

const scan = 'Network scan';
const login = 'Attempted login';
const flood = 'Denial of service';
const control = 'Command and control';

function entry(
  id: number,
  label: string,
  title: string,
  rest: { category: string; severity: Severity; attack: AttackReference },
): BehaviourEntry {
  return { id, rev: 1, label, title, ...rest };
}

/** Every behaviour Portcullis looks for. */
export const BEHAVIOURS = {
  portScan: entry(1001, 'port_scan', 'Port scan', { category: scan, severity: 'medium', attack: SERVICES }),
  slowPortScan: entry(1002, 'port_scan', 'Slow port scan', { category: scan, severity: 'medium', attack: SERVICES }),
  hostSweep: entry(1003, 'host_sweep', 'Host sweep', { category: scan, severity: 'medium', attack: REMOTE_SYSTEMS }),
  slowHostSweep: entry(1004, 'host_sweep', 'Slow host sweep', {
    category: scan,
    severity: 'medium',
    attack: REMOTE_SYSTEMS,
  }),
  networkScan: entry(1005, 'network_scan', 'Scan distributed over a network', {
    category: scan,
    severity: 'medium',
    attack: SCANNING,
  }),
  arpSweep: entry(1006, 'host_sweep', 'ARP sweep', { category: scan, severity: 'medium', attack: REMOTE_SYSTEMS }),
  bruteForce: entry(1101, 'brute_force', 'Brute force of logins', {
    category: login,
    severity: 'high',
    attack: GUESSING,
  }),
  passwordSpraying: entry(1102, 'password_spraying', 'Password spraying', {
    category: login,
    severity: 'high',
    attack: SPRAYING,
  }),
  distributedBruteForce: entry(1103, 'distributed_brute_force', 'Distributed brute force of logins', {
    category: login,
    severity: 'high',
    attack: GUESSING,
  }),
  networkBruteForce: entry(1104, 'network_brute_force', 'Brute force of logins from a network', {
    category: login,
    severity: 'high',
    attack: GUESSING,
  }),
  slowBruteForce: entry(1105, 'brute_force', 'Slow brute force of logins', {
    category: login,
    severity: 'medium',
    attack: GUESSING,
  }),
  synFlood: entry(1201, 'syn_flood', 'SYN flood', { category: flood, severity: 'high', attack: OS_FLOOD }),
  udpFlood: entry(1202, 'udp_flood', 'UDP flood', { category: flood, severity: 'high', attack: FLOOD }),
  icmpFlood: entry(1203, 'icmp_flood', 'ICMP flood', { category: flood, severity: 'high', attack: FLOOD }),
  httpFlood: entry(1204, 'http_flood', 'HTTP request flood', {
    category: flood,
    severity: 'high',
    attack: SERVICE_FLOOD,
  }),
  amplification: entry(1205, 'amplification', 'Reflected amplification flood', {
    category: flood,
    severity: 'high',
    attack: AMPLIFICATION,
  }),
  reflector: entry(1207, 'amplification_reflector', 'Inside service used as a reflector', {
    category: flood,
    severity: 'medium',
    attack: AMPLIFICATION,
  }),
  synFloodSpread: entry(1208, 'syn_flood', 'SYN flood of a network', {
    category: flood,
    severity: 'high',
    attack: FLOOD,
  }),
  udpFloodSpread: entry(1209, 'udp_flood', 'UDP flood of a network', {
    category: flood,
    severity: 'high',
    attack: FLOOD,
  }),
  icmpFloodSpread: entry(1210, 'icmp_flood', 'ICMP flood of a network', {
    category: flood,
    severity: 'high',
    attack: FLOOD,
  }),
  amplificationSpread: entry(1211, 'amplification', 'Reflected amplification flood of a network', {
    category: flood,
    severity: 'high',
    attack: AMPLIFICATION,
  }),
  httpFloodSpread: entry(1212, 'http_flood', 'HTTP request flood of many sources', {
    category: flood,
    severity: 'high',
    attack: SERVICE_FLOOD,
  }),
  slowHttp: entry(1206, 'slow_http', 'Slow HTTP', { category: flood, severity: 'high', attack: SERVICE_FLOOD }),
  beacon: entry(1301, 'beacon', 'Regular beacon', { category: control, severity: 'medium', attack: BEACON }),
  dnsTunnel: entry(1302, 'dns_tunnel', 'DNS tunnel', { category: control, severity: 'high', attack: DNS }),
  dga: entry(1303, 'dga', 'Lookups of generated names', { category: control, severity: 'medium', attack: DGA }),
  icmpTunnel: entry(1304, 'icmp_tunnel', 'ICMP tunnel', {
    category: control,
    severity: 'high',
    attack: NON_APPLICATION,
  }),
  exfiltration: entry(1305, 'exfiltration', 'Unusual outgoing volume', {
    category: 'Exfiltration',
    severity: 'medium',
    attack: OUTFLOW,
  }),
  arpSpoofing: entry(1401, 'arp_spoofing', 'ARP spoofing', {
    category: 'Man in the middle',
    severity: 'high',
    attack: ARP,
  }),
  rogueRouter: entry(1404, 'rogue_router', 'Router advertisements of an unknown router', {
    category: 'Man in the middle',
    severity: 'high',
    attack: MIDDLE,
  }),
  rogueDhcp: entry(1402, 'rogue_dhcp', 'Second DHCP server', {
    category: 'Man in the middle',
    severity: 'high',
    attack: DHCP,
  }),
  lateralMovement: entry(1403, 'lateral_movement', 'Lateral movement', {
    category: 'Lateral movement',
    severity: 'high',
    attack: REMOTE_SERVICES,
  }),
} as const satisfies Record<string, BehaviourEntry>;
