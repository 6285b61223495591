/** What docs/detection.md says of each detector; options, ids and techniques come from the code. */
export interface DetectorProse {
  title: string;
  /** Section of `detect.behaviour` in the configuration. */
  options: readonly string[];
  labels: readonly string[];
  counts: string;
  spoofable: string;
  misses: string;
}

export const DETECTORS: readonly DetectorProse[] = [
  {
    title: 'Port scans and host sweeps',
    options: ['port_scan'],
    labels: ['port_scan', 'host_sweep', 'network_scan'],
    counts:
      'Distinct ports and hosts whose attempts failed: no answer within `answer_timeout_ms`, RST, a handshake that the ' +
      'source gave up, or a connection dropped without a byte. By source in a fast and a slow window, and by /24 or /64. ' +
      'Many failed ports a host are a port scan; mostly failures at many hosts are a sweep. Hosts that are no neighbours need to be ' +
      'more, and many more when each is asked on a port of its own, as peers of file sharing are; outside hosts that an inside one tries on ' +
      'the usual ports of file sharing (`peer_ports`) count for no sweep. Probes with flags that no ' +
      'connection begins with (NULL, FIN, Xmas) count from three ports on. Open ports count half, when the source said ' +
      'nothing on them: monitoring looks at open ports, scans find mostly closed ones. The report names the techniques: SYN, connect, ' +
      'NULL, FIN, Xmas, ACK, Maimon, UDP, ping. A scan that pauses and goes on is reported anew, and one that has grown ' +
      'tenfold is told again. What an inside host contacts day by day (baseline) does not count.',
    spoofable:
      'Until the source completes a handshake: SYN, UDP and flag scans can be forged, and get a rate limit and no block of ' +
      'the address. The moment the source proves itself the finding is reported again.',
    misses:
      'Scans of open ports only, with data in each connection; scans slower than `slow_ports` in `slow_window_secs`; ' +
      'sources that share a scan over several networks with less than the thresholds each.',
  },
  {
    title: 'ARP sweeps and ARP spoofing',
    options: ['arp'],
    labels: ['host_sweep', 'arp_spoofing'],
    counts:
      'Addresses asked for by one station; claims of an address by a second hardware address while the first is alive: two ' +
      'replies that nobody asked for (or asked for more than 200 ms before, or that go to all), or three announcements, ' +
      'with a packet of the first owner in between; replies that nobody asked for, for two addresses or more, by one ' +
      'hardware address. Fail-over of routers, a new network card and duplicate addresses are quiet: there the first ' +
      'owner is silent, or the second announces itself twice and answers what it is asked.',
    spoofable:
      'Always, and ARP never leads to an action: a claimed address is the victim’s own, and a router asks for whatever others look for behind it.',
    misses:
      'Spoofing of a host that never sends ARP itself; a claim made before the rightful owner was ever seen; claims more ' +
      'than a window apart; one that only answers questions faster than the owner does (it looks like a duplicate address).',
  },
  {
    title: 'Guessing of passwords',
    options: ['brute_force'],
    labels: ['brute_force', 'password_spraying', 'distributed_brute_force', 'network_brute_force'],
    counts:
      'Refused logins by source and service. Read from the replies of FTP, Telnet, SMTP, POP3, IMAP, HTTP forms and basic ' +
      'or digest authentication, MySQL, PostgreSQL, SMB and VNC; for SSH by lengths: answers that have the length of a refusal, ' +
      'to requests that are too long for the question for methods and too short for a key, while the connection is open, too; they are taken back when ' +
      'the login works (a success is shorter than the acceptance of the service in every cipher). Open connections add up by source and ' +
      'target, and not where a login worked in the window; OpenSSH and PuTTY, which pad what is typed, are counted at the connection’s end; for RDP by the size of connections. Services are known by port and by ' +
      'banner. The label carries the service, such as `ssh_brute_force`. Many users with few passwords, or many hosts ' +
      'with few tries each, are spraying. Many sources that stay below the threshold add up at their target, and by /24 or ' +
      '/64 when the network is outside: such a network is the offender, and a policy may block it. The same user and ' +
      'password over and over are a program with an old password and no guessing. The same is counted again over hours ' +
      '(`slow_window_secs`): by source, by outside sources at a target, by outside network. Where logins are read, several ' +
      'different ones are needed; where they are not (SSH, RDP, databases), an inside host that contacts the service day ' +
      'by day is a program, and anybody else is told and not blocked.',
    spoofable: 'Never: a refused login needs a completed handshake.',
    misses:
      'Slower guessing than the thresholds of the slow window by each source, target and network. Logins inside TLS (HTTPS, IMAPS and the like): only their volume is seen. Refused SSH keys: they guess no password. Users of SSH are encrypted, so spraying ' +
      'over SSH is reported as guessing; users of SMTP, Telnet, SMB and databases are not read either.',
  },
  {
    title: 'Floods and amplification',
    options: ['flood', 'http_flood'],
    labels: ['syn_flood', 'udp_flood', 'icmp_flood', 'amplification', 'http_flood'],
    counts:
      'By target and second: SYNs whose handshake came to nothing and that go mostly to one port (spread over ports they ' +
      'are a scan), UDP packets and flows without an answer (their rate is known after a quarter of a second, if they go ' +
      'mostly to one port), ICMP packets; echo requests also on the mean of ten seconds. Answers from ports of reflectors (DNS, NTP, ' +
      'SSDP, memcached and others) that nobody asked for are amplification. HTTP: requests of one source, most of them ' +
      'for one URI; and by server and port those of sources each of which asks for one URI over and over (five times, three times a second), when together they ask mostly for one ' +
      'URI (`target_requests`, `target_sources`; of a single source only as many count as a flood of `target_sources` needs of each). Over TLS new connections count, each as a quarter of a request. ' +
      'A server that has been known for `learn_secs` must get `usual_factor` times its busiest usual window, mostly from sources that were not there in the turn of `learn_secs` before; slower ' +
      'repetition then counts too. Inside hosts that contact it day by day (baseline) do not count. Visitors of a release day, applications that ask each second, clients behind one address, load tests of a few hosts and ' +
      'users whose application tries again and again are quiet. What no single address gets enough of is counted by /24 and /64 (carpet bombing), and between outside addresses, ' +
      'where an inside device that forges its sources shows: the same rates (UDP: flows), from at least ' +
      '`network_sources` sources within a second none of which ever completed a handshake, to at least four hosts, or networks. Between ' +
      'outside addresses most flows must be unanswered. While such a flood is told, what models say of unproven sources in it ' +
      'belongs to its alert. Two lab scenarios (`flood-syn-carpet`, `flood-syn-scattered`, seed 9401) are told at 200, 2,000 and 10,000 packets a second ' +
      'after 0.94, 0.53 and 0.35 s, and 0.97, 0.56 and 0.54 s.',
    spoofable:
      'SYN, UDP and ICMP floods: yes. From more than two sources they are reported once a target and block nobody. HTTP ' +
      'floods: never; from many sources they are told once a server, block nobody, and take in what models say of flows to it.',
    misses:
      'Floods below the rates; a device that forges sources of its own inside network (it looks like clients without an uplink); which ' +
      'device sends what is between outside addresses (a switch knows); HTTP floods over many URIs, of sources that ask once each, or of slow sources while the server is not known yet (the shipped model reports flows of botnets, docs/models.md); ' +
      'over TLS, sources with fewer than twenty connections in the window or the flood of one source; what a server usually gets is learned anew after a restart; floods of completed handshakes (they show as slow ' +
      'HTTP or not at all).',
  },
  {
    title: 'Reflectors',
    options: ['reflector'],
    labels: ['amplification_reflector'],
    counts:
      'By outside address: what an inside UDP service of the reflecting kind (DNS, NTP, SNMP, CLDAP, memcached and others) ' +
      'answers, how many times as much as it was asked, and whether most requests of a second are the same. A resolver ' +
      'that asks much asks for different things.',
    spoofable:
      'Always: the source is the one that is flooded, its address is forged. Nobody is blocked; close or limit the service.',
    misses:
      'A service whose address is not in `home_networks`; small amplification below `factor`; ever new questions.',
  },
  {
    title: 'Slow HTTP',
    options: ['slow_http'],
    labels: ['slow_http'],
    counts:
      'Connections whose request header or body comes in drips, or whose client keeps its receive window shut while the ' +
      'answer waits; by source, and by target when several sources share it.',
    spoofable: 'Never.',
    misses: 'Slow HTTP inside TLS; fewer connections than the threshold.',
  },
  {
    title: 'Beacons',
    options: ['beacon'],
    labels: ['beacon'],
    counts:
      'Connections from one host to one service outside that begin at regular times: the coefficient of variation of the ' +
      'intervals stays small even with jitter of half the interval. Ports that are polled by design (DNS, NTP, SNMP, ' +
      'Modbus, monitoring agents) and services that the host contacts day by day (baseline) do not count.',
    spoofable: 'Never. Reported with confidence 0.6: monitoring and updates are regular too.',
    misses:
      'Beacons that keep one connection open, that change their server, or whose server is inside, that were there while the host was learned; ' +
      'intervals below `min_mean_secs`.',
  },
  {
    title: 'DNS tunnels and generated names',
    options: ['dns'],
    labels: ['dns_tunnel', 'dga'],
    counts:
      'Distinct long names below one domain, or names with long labels below any; distinct registered domains that do not ' +
      'exist, asked for by one host.',
    spoofable: 'Until the source proves itself on another connection; DNS over UDP proves nothing.',
    misses: 'DNS over TLS, HTTPS or TCP; tunnels slower than `names` in `window_secs`.',
  },
  {
    title: 'ICMP tunnels',
    options: ['icmp_tunnel'],
    labels: ['icmp_tunnel'],
    counts: 'Echo replies that differ from their request (RFC 792), and echo packets with ever new contents.',
    spoofable: 'Yes: ICMP has no handshake.',
    misses: 'Tunnels in other ICMP types; those that send one pattern only.',
  },
  {
    title: 'Exfiltration',
    options: ['exfiltration'],
    labels: ['exfiltration'],
    counts:
      'What an inside host sends outside in a window, against its baseline of this hour of the week, for all services and ' +
      'for each; the floor `min_mib` and the ratio to what it received always hold. Uploads of many small flows add up.',
    spoofable: 'Never. While the baseline is learned a finding blocks nobody.',
    misses: 'Volumes below the floor; an upload as large as the nightly backup, by the same service in the same hour.',
  },
  {
    title: 'Lateral movement',
    options: ['lateral'],
    labels: ['lateral_movement'],
    counts:
      'Distinct inside hosts whose remote administration (SSH, Telnet, RPC, SMB, RDP, VNC, WinRM) one inside host uses with ' +
      'data both ways. Hosts that it administers day by day (baseline) and stations in `exempt` do not count.',
    spoofable: 'Never.',
    misses: 'Movement within one segment that the sensor does not see; fewer hosts than the threshold.',
  },
  {
    title: 'Rogue DHCP',
    options: ['rogue_dhcp'],
    labels: ['rogue_dhcp'],
    counts:
      'Offers and acknowledgements by server identifier (RFC 2132) of servers that are not listed or learned; for DHCPv6 ' +
      'advertisements and replies by DUID (RFC 8415). A flood of invented servers is told by its first eight.',
    spoofable: 'Always.',
    misses: 'A rogue server that is there from the start, when no servers are listed.',
  },
  {
    title: 'Rogue IPv6 routers',
    options: ['rogue_router'],
    labels: ['rogue_router'],
    counts:
      'Router advertisements (RFC 4861) by an address that is not listed or, without a list, by an address and hardware ' +
      'address that were not learned: a known router’s address with another card is a forgery.',
    spoofable: 'Always, and blocks nobody: the address may be the true router’s own.',
    misses: 'A rogue router that is there from the start, or that forges hardware address and address of a known one.',
  },
];

export const BASELINE = `## Baselines

The sensor learns of each inside host (\`home_networks\`) that has exchanged data:

- how much it sends outside by service and hour of the week: exponentially weighted means, newest week 25 %. Hour 0 is
  Monday 00:00 UTC. The hours beside the present one count too, so that a backup may begin a little early or late;
- which services (address, port, protocol) it contacts on how many days.

**Learning time**: \`learn_days\`, a week unless configured. Until it is over, what is only unusual is told with
\`"baseline": ["learning"]\` and blocks nobody. A service is usual once it was contacted on \`usual_days\` earlier days. A day on which
the host was found scanning or moving laterally teaches nothing. Forged sources are not learned. Hosts, services and peers
are bounded; the longest unseen goes.

The server keeps what sensors learned in \`data_dir/baselines\` and gives it back when a sensor dials. See and forget it
with \`GET /api/v1/baselines\`, \`GET /api/v1/baselines/{host}\` and \`DELETE /api/v1/baselines/{host}\`, or on the host's page of
the console. A partial hour before a restart is lost.
`;
