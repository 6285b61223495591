import type { FeatureDefinition, FeatureKind, FeatureSchema } from '../../domain/feature.js';

/**
 * The columns of the KDD Cup 1999 table in file order (Stolfo et al., 2000). `network` marks the 28 that can be
 * computed from packets (1-9 and 23-41); the 13 others need host logs and cannot be had on a firewall.
 */
interface KddColumn {
  name: string;
  kind: FeatureKind;
  unit: string;
  network: boolean;
}

const column = (name: string, kind: FeatureKind = 'numeric', unit = '', network = true): KddColumn => ({
  name,
  kind,
  unit,
  network,
});
const host = (name: string, kind: FeatureKind = 'numeric'): KddColumn => column(name, kind, '', false);
const rate = (name: string): KddColumn => column(name, 'ratio');

export const KDD_COLUMNS: readonly KddColumn[] = [
  column('duration', 'numeric', 's'),
  column('protocol_type', 'category'),
  column('service', 'category'),
  column('flag', 'category'),
  column('src_bytes', 'numeric', 'bytes'),
  column('dst_bytes', 'numeric', 'bytes'),
  column('land', 'flag'),
  column('wrong_fragment', 'numeric', 'fragments'),
  column('urgent', 'numeric', 'packets'),
  host('hot'),
  host('num_failed_logins'),
  host('logged_in', 'flag'),
  host('num_compromised'),
  host('root_shell', 'flag'),
  host('su_attempted'),
  host('num_root'),
  host('num_file_creations'),
  host('num_shells'),
  host('num_access_files'),
  host('num_outbound_cmds'),
  host('is_host_login', 'flag'),
  host('is_guest_login', 'flag'),
  column('count', 'numeric', 'connections'),
  column('srv_count', 'numeric', 'connections'),
  rate('serror_rate'),
  rate('srv_serror_rate'),
  rate('rerror_rate'),
  rate('srv_rerror_rate'),
  rate('same_srv_rate'),
  rate('diff_srv_rate'),
  rate('srv_diff_host_rate'),
  column('dst_host_count', 'numeric', 'connections'),
  column('dst_host_srv_count', 'numeric', 'connections'),
  rate('dst_host_same_srv_rate'),
  rate('dst_host_diff_srv_rate'),
  rate('dst_host_same_src_port_rate'),
  rate('dst_host_srv_diff_host_rate'),
  rate('dst_host_serror_rate'),
  rate('dst_host_srv_serror_rate'),
  rate('dst_host_rerror_rate'),
  rate('dst_host_srv_rerror_rate'),
];

/** Codes of the three categories, for the table with all 41 columns; the live schema brings its own. */
const VOCABULARY: Readonly<Record<string, readonly string[]>> = {
  protocol_type: ['tcp', 'udp', 'icmp'],
  flag: ['OTH', 'REJ', 'RSTO', 'RSTOS0', 'RSTR', 'S0', 'S1', 'S2', 'S3', 'SF', 'SH'],
  service: (
    'IRC X11 Z39_50 aol auth bgp courier csnet_ns ctf daytime discard domain domain_u echo eco_i ecr_i efs exec ' +
    'finger ftp ftp_data gopher harvest hostnames http http_2784 http_443 http_8001 icmp imap4 iso_tsap klogin ' +
    'kshell ldap link login mtp name netbios_dgm netbios_ns netbios_ssn netstat nnsp nntp ntp_u other pm_dump pop_2 ' +
    'pop_3 printer private red_i remote_job rje shell smtp sql_net ssh sunrpc supdup systat telnet tftp_u tim_i ' +
    'time urh_i urp_i uucp uucp_path vmnet whois'
  ).split(' '),
};

function definition(c: KddColumn): FeatureDefinition {
  const vocabulary = VOCABULARY[c.name];
  return {
    name: c.name,
    kind: c.kind,
    unit: c.unit,
    description: `Column ${KDD_COLUMNS.indexOf(c) + 1} of the KDD Cup 1999 table.`,
    ...(vocabulary ? { vocabulary } : {}),
  };
}

/** All 41 columns: for comparison with published figures; no live sensor can fill it. */
export function kdd41Schema(): FeatureSchema {
  return { name: 'kdd41', version: 1, features: KDD_COLUMNS.map(definition) };
}

/** The attack types of KDD Cup 1999 and NSL-KDD and the family each belongs to. */
export const KDD_FAMILIES: Readonly<Record<string, readonly string[]>> = {
  dos: 'back land neptune pod smurf teardrop apache2 mailbomb processtable udpstorm worm'.split(' '),
  probe: 'ipsweep nmap portsweep satan mscan saint'.split(' '),
  r2l: (
    'ftp_write guess_passwd imap multihop phf spy warezclient warezmaster httptunnel named sendmail snmpgetattack ' +
    'snmpguess xlock xsnoop'
  ).split(' '),
  u2r: 'buffer_overflow loadmodule perl rootkit ps sqlattack xterm'.split(' '),
};

/** Family of a KDD attack label, or `attack` for a name not in the lists. */
export function kddFamily(label: string): string {
  return Object.keys(KDD_FAMILIES).find((family) => KDD_FAMILIES[family]?.includes(label)) ?? 'attack';
}
