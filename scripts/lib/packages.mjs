/**
 * Debian packages that Portcullis needs. `command` is looked for on machines without dpkg, where set-up can only
 * say what is missing.
 */
export const RUN_PACKAGES = [
  { name: 'nftables', command: 'nft', why: 'applies blocks in the kernel' },
  { name: 'iptables', command: 'iptables-nft', why: 'brings packets to the inline queue where nft cannot' },
  { name: 'iproute2', command: 'ip', why: 'reads the box’s own addresses, routes and sockets' },
  { name: 'libpcap-dev', why: 'the cap capture source is compiled against it' },
  { name: 'g++', command: 'g++', why: 'compiles the two native add-ons' },
  { name: 'make', command: 'make', why: 'compiles the two native add-ons' },
  { name: 'python3', command: 'python3', why: 'node-gyp is written in it' },
  { name: 'ca-certificates', why: 'TLS to SIEMs and feeds' },
];

export const TEST_PACKAGES = [
  // Hosts, links and watching them.
  { name: 'ethtool', command: 'ethtool', why: 'switches checksum offload off on lab links' },
  { name: 'tcpdump', command: 'tcpdump', why: 'writes lab captures' },
  { name: 'iputils-ping', command: 'ping', why: 'lab reachability and ICMP traffic' },
  { name: 'conntrack', command: 'conntrack', why: 'checks that established sessions are cut' },
  { name: 'iptables', command: 'iptables', why: 'a foreign firewall beside ours' },
  { name: 'procps', command: 'ps', why: 'process checks' },
  { name: 'util-linux', command: 'setpriv', why: 'runs programs without rights' },
  { name: 'openssl', command: 'openssl', why: 'test certificates and password hashes' },
  // Services of the lab’s victim and SIEM.
  { name: 'nginx-light', command: 'nginx', why: 'web server under attack' },
  { name: 'openssh-server', why: 'SSH server under attack' },
  { name: 'openssh-client', command: 'ssh', why: 'SSH sessions' },
  { name: 'vsftpd', command: 'vsftpd', why: 'FTP server under attack' },
  { name: 'dnsmasq-base', command: 'dnsmasq', why: 'DNS server' },
  { name: 'rsyslog', command: 'rsyslogd', why: 'the SIEM side of syslog' },
  { name: 'rsyslog-gnutls', why: 'syslog over TLS' },
  { name: 'rsyslog-relp', why: 'syslog over RELP' },
  { name: 'liblognorm-utils', command: 'lognormalizer', why: 'an independent CEF parser' },
  { name: 'mariadb-server', command: 'mariadbd', why: 'the second database' },
  { name: 'nats-server', command: 'nats-server', why: 'the fleet bus' },
  { name: 'faketime', command: 'faketime', why: 'a clock that tests move' },
  // Clients and attack tools.
  { name: 'bind9-dnsutils', command: 'dig', why: 'DNS lookups' },
  { name: 'curl', command: 'curl', why: 'HTTP and FTP clients' },
  { name: 'rsync', command: 'rsync', why: 'backup traffic' },
  { name: 'sshpass', command: 'sshpass', why: 'SSH logins with passwords' },
  { name: 'debootstrap', command: 'debootstrap', why: 'a Debian of its own for the package' },
  { name: 'systemd-container', command: 'systemd-nspawn', why: 'boots it' },
  { name: 'netcat-openbsd', command: 'nc', why: 'plain TCP and UDP' },
  { name: 'socat', command: 'socat', why: 'a way to a server in another namespace' },
  { name: 'nmap', command: 'nmap', why: 'port scans' },
  { name: 'hping3', command: 'hping3', why: 'floods and crafted packets' },
  { name: 'hydra', command: 'hydra', why: 'password guessing' },
  { name: 'ncrack', command: 'ncrack', why: 'password guessing' },
  { name: 'masscan', command: 'masscan', why: 'port scans with a stack of its own' },
  { name: 'iodine', command: 'iodine', why: 'DNS tunnel' },
  { name: 'ptunnel-ng', command: 'ptunnel-ng', why: 'ICMP tunnel' },
  { name: 'apache2-utils', command: 'ab', why: 'HTTP load' },
  { name: 'git', command: 'git', why: 'clones as everyday traffic' },
  { name: 'slowhttptest', command: 'slowhttptest', why: 'slow HTTP attacks' },
  { name: 'sqlmap', command: 'sqlmap', why: 'SQL injection' },
  { name: 'wrk', command: 'wrk', why: 'HTTP load' },
  // Browser tests of the console.
  { name: 'chromium', command: 'chromium', why: 'browser tests of the console' },
];

/** What `npm run demo` uses of them: the others would be hundreds of megabytes. */
const DEMO = new Set(
  'ethtool tcpdump procps openssl nginx-light openssh-server openssh-client rsyslog sshpass netcat-openbsd nmap'.split(
    ' ',
  ),
);
export const DEMO_PACKAGES = TEST_PACKAGES.filter(({ name }) => DEMO.has(name));
