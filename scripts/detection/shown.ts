/** Where it is shown that a behaviour is found, or that its look-alike is quiet. */
export interface Shown {
  what: string;
  /** File in src/detect/behaviour, without `.ts`. */
  detector: string;
  /** File in test/unit/detect/behaviour, without `.test.ts`, and the beginning of the test's name. */
  test: readonly [file: string, name: string];
  /** Lab scenarios (test/lab/scenarios) that show it with real tools. */
  lab: readonly string[];
}

const row = (what: string, detector: string, test: Shown['test'], ...lab: string[]): Shown => ({
  what,
  detector,
  test,
  lab,
});

export const FOUND: readonly Shown[] = [
  row('TCP scan: SYN, NULL, FIN, Xmas, ACK, Maimon', 'port-scan', ['scan', 'a ${name} scan is found'], 'scan-syn', 'scan-null', 'scan-fin', 'scan-xmas', 'scan-ack', 'scan-maimon'),
  row('TCP scan: connect, service detection', 'port-scan', ['scan', 'a connect scan is found'], 'scan-connect', 'scan-version'),
  row('scanners with a stack of their own, crafted packets', 'port-scan', ['look-alikes', 'three ports probed without flags'], 'scan-masscan', 'scan-crafted'),
  row('UDP scan', 'port-scan', ['scan', 'a UDP scan is found'], 'scan-udp'),
  row('scan over IPv6', 'port-scan', ['scan', 'a scan over IPv6'], 'scan-ipv6'),
  row('slow scan, over hours', 'port-scan', ['scan', 'one probe every 15 seconds'], 'scan-sneaky'),
  row('scan shared by the sources of a /24 or /64', 'port-scan', ['scan', 'sources of one network'], 'scan-distributed'),
  row('host sweep: TCP, UDP, ICMP', 'port-scan', ['scan', 'a host sweep is found'], 'sweep-tcp', 'sweep-udp', 'sweep-icmp', 'sweep-telnet-worm'),
  row('host sweep: ARP', 'arp', ['load-and-control', 'ARP: a sweep']),
  row('guessing: SSH, FTP, Telnet, SMTP, POP3, IMAP, HTTP forms and basic authentication, RDP, SMB, MySQL, PostgreSQL, VNC', 'brute-force', ['login', '${label} on port ${port}'], 'brute-ssh', 'brute-ssh-ncrack', 'brute-ftp', 'brute-ftp-ncrack', 'brute-telnet', 'brute-smtp', 'brute-pop3', 'brute-imap', 'brute-http-form', 'brute-http-basic'),
  row('password spraying: many users', 'brute-force', ['login', 'many users with one password'], 'spray-ssh'),
  row('password spraying: many hosts', 'brute-force', ['login', 'one user and password tried a few times']),
  row('guessing shared by many sources, by target', 'login-groups', ['login', 'many sources at one target'], 'brute-ssh-distributed'),
  row('guessing shared by a /24 or /64, at many targets', 'login-groups', ['login', 'sources of one ${kind}']),
  row('guessing over hours: one source', 'login-groups', ['login-slow', 'one source that guesses every two minutes'], 'patient-ftp', 'patient-ssh'),
  row('guessing over hours: sources in turn, by target and network', 'login-groups', ['login-slow', 'many sources that take turns'], 'patient-turns'),
  row('SYN flood, from one source and forged', 'flood', ['load-and-control', 'a SYN flood is found'], 'flood-syn', 'flood-syn-forged'),
  row('floods spread over a /24 or /64: SYN, UDP, ICMP, amplification', 'flood-spread', ['flood-spread', 'forged SYNs spread over'], 'flood-syn-carpet'),
  row('forged SYNs between outside addresses', 'flood-spread', ['flood-spread', 'forged SYNs to hosts all over'], 'flood-syn-scattered'),
  row('UDP and ICMP flood', 'flood', ['load-and-control', 'UDP and ICMP floods'], 'flood-udp', 'flood-icmp', 'flood-unreachable'),
  row('echo requests that go on', 'flood', ['flood-look-alikes', 'two hundred echo requests'], 'flood-icmp'),
  row('amplification: the victim', 'flood', ['load-and-control', 'UDP and ICMP floods'], 'flood-amplified'),
  row('amplification: the reflector', 'reflector', ['flood-look-alikes', 'a name server that is used'], 'reflector-dns'),
  row('HTTP request flood', 'http-load', ['load-and-control', 'one URI a thousand times'], 'flood-http', 'flood-http-ab'),
  row('HTTP request flood of many sources, TLS too', 'http-flood-spread', ['http-flood-spread', 'a hundred sources that ask'], 'flood-http-botnet'),
  row('slow HTTP: headers, body, read', 'http-load', ['load-and-control', 'slow headers, slow bodies'], 'slow-headers', 'slow-body', 'slow-read'),
  row('beacon, jitter 0 to 50 %', 'beacon', ['load-and-control', 'a beacon with half its interval'], 'beacon-0', 'beacon-20', 'beacon-50'),
  row('DNS tunnel', 'dns-tunnel', ['load-and-control', 'a DNS tunnel is found'], 'dns-tunnel', 'dns-tunnel-iodine'),
  row('generated names', 'dns-tunnel', ['load-and-control', 'many generated domains']),
  row('ICMP tunnel', 'icmp-tunnel', ['load-and-control', 'an ICMP tunnel is found'], 'icmp-tunnel', 'icmp-tunnel-ptunnel'),
  row('exfiltration against the host’s own baseline', 'exfiltration', ['baseline', 'another service that sends behind'], 'exfiltration'),
  row('ARP spoofing, slow too', 'arp', ['look-alikes', 'two claims of a gateway'], 'arp-spoof'),
  row('rogue DHCP', 'rogue-dhcp', ['inside', 'a DHCP server that turns up later'], 'rogue-dhcp'),
  row('rogue DHCPv6', 'rogue-dhcp', ['inside', 'a DHCPv6 server that turns up later']),
  row('rogue IPv6 router', 'rogue-router', ['inside', 'an unknown router and a known one']),
  row('lateral movement', 'lateral', ['inside', 'one inside host that administers'], 'lateral-ssh'),
]; // prettier-ignore

export const QUIET: readonly Shown[] = [
  row('a router that shows each packet twice', 'behaviour', ['look-alikes', 'a router that shows each packet twice']),
  row('refused logins shown twice', 'brute-force', ['login', 'every refused login shown twice']),
  row('health checks of a load balancer', 'port-scan', ['look-alikes', 'health checks of a load balancer'], 'health-checks', 'monitoring'),
  row('a host that never gets an answer', 'port-scan', ['look-alikes', 'a misconfigured host']),
  row('duplicate addresses', 'arp', ['look-alikes', 'two hosts with one address']),
  row('fail-over, fail-back, a new network card', 'arp', ['look-alikes', 'a fail-over, a fail-back']),
  row('a router that asks for hosts that are there', 'arp', ['load-and-control', 'ARP: a sweep']),
  row('successful logins, a password mistyped twice', 'brute-force', ['login', '${label} on port ${port}'], 'ssh-sessions'),
  row('SSH logins that work, with many keys, at a prompt, many at once', 'login-ssh', ['login-ssh', '${name}, ${connections} times at once'], 'ssh-sessions', 'ssh-many', 'git-clone'),
  row('SSH to many hosts at once', 'login-open', ['login-ssh', 'many hosts at once']),
  row('a program with an old password', 'brute-force', ['login', 'a program that keeps trying']),
  row('a program with an old password, for a day', 'login-groups', ['login-slow', 'programs with an old password']),
  row('file sharing', 'port-scan', ['look-alikes', 'file sharing, which asks peers'], 'peer-to-peer'),
  row('a server whose client was blocked', 'port-scan', ['look-alikes', 'a server whose client was blocked']),
  row('a backup, every night', 'exfiltration', ['baseline', 'a nightly backup'], 'backup'),
  row('a monitoring system', 'port-scan', ['baseline', 'a monitoring system'], 'monitoring'),
  row('a one-way stream of UDP', 'flood', ['flood-look-alikes', 'a one-way stream'], 'udp-stream'),
  row('servers that fail while known users ask', 'flood-spread', ['flood-spread', 'servers that fail']),
  row('a release day, pollers, a video, clients behind one address', 'http-flood-spread', ['http-flood-spread', '${name}: no flood'], 'app-polling', 'nat', 'newcomers'),
  row('load tests of a few hosts', 'http-flood-spread', ['http-flood-spread', 'load tests of a few hosts']),
  row('users whose application tries again and again', 'http-flood-spread', ['http-flood-spread', 'once a server is known'], 'server-down'),
  row('inside hosts without their uplink', 'flood-spread', ['flood-spread', 'a link between outside']),
  row('a resolver that asks much', 'reflector', ['flood-look-alikes', 'a resolver that asks much'], 'dns-lookups'),
  row('backscatter of a flood elsewhere', 'port-scan', ['scan', 'backscatter of a flood']),
  row('a million forged sources, a scan among them', 'behaviour', ['load', 'a million sources in a minute']),
  row('300,000 forged SYNs a second, a scan among them', 'behaviour', ['load', 'at 300,000 SYNs a second']),
  row('a detector that is switched off, each by itself', 'behaviour', ['switches', '${section} can be switched off']),
]; // prettier-ignore

/** Both tables, as text. */
export function shownTables(): string {
  const table = (rows: readonly Shown[]): string =>
    ['| what | detector | unit test | lab |', '| --- | --- | --- | --- |', ...rows.map(line)].join('\n');
  return `## Where it is shown

Detectors are files of \`src/detect/behaviour\`, unit tests of \`test/unit/detect/behaviour\`; the lab column names scenarios of
\`npm run lab\` with real tools.

${table(FOUND)}

What must stay quiet:

${table(QUIET)}
`;
}

function line({ what, detector, test: [file, name], lab }: Shown): string {
  const scenarios = lab.map((s) => `\`${s}\``).join(' ');
  return `| ${what} | \`${detector}\` | \`${file}\`: "${name.replaceAll('${', '{')} ..." | ${scenarios} |`;
}
