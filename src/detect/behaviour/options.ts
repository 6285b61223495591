import { z } from 'zod';
import { parseCidr, parseIp } from '../../util/ip.js';

const prefix = z.string().refine((text) => parseCidr(text) !== undefined, 'not an address or prefix');

const count = (value: number, what: string) => z.int().min(1).max(100_000_000).default(value).describe(what);
const secs = (value: number, what: string) => z.number().min(0.1).max(604_800).default(value).describe(what);
const on = (what: string) => z.boolean().default(true).describe(`Look for ${what}`);

const portScan = z
  .strictObject({
    enabled: on('port scans and host sweeps'),
    windowSecs: secs(60, 'Seconds of the fast window'),
    ports: count(10, 'Distinct failed ports in the fast window that make a port scan'),
    hosts: count(20, 'Distinct hosts that did not answer in the fast window that make a host sweep'),
    pauseSecs: secs(5, 'Seconds after which a scan that was reported and goes on counts as a new one'),
    slowWindowSecs: secs(21_600, 'Seconds of the slow window'),
    slowPorts: count(16, 'Distinct failed ports in the slow window that make a slow port scan'),
    slowHosts: count(60, 'Distinct hosts that did not answer in the slow window that make a slow host sweep'),
    oddPorts: count(
      3,
      'Distinct ports probed without flags, with FIN alone or with FIN, PSH and URG that make a port scan',
    ),
    minPortsPerHost: count(4, 'Failed ports a host that tell a port scan from a sweep'),
    minHostsPerNetwork: count(6, 'Hosts a /24 or /64 that make the failed hosts neighbours'),
    scatteredFactor: z
      .number()
      .min(1)
      .max(100)
      .default(4)
      .describe('Times as many hosts are needed when they are no neighbours'),
    minFailedShare: z
      .number()
      .min(0)
      .max(1)
      .default(0.6)
      .describe('Share of failed among failed and productive connections that a sweep must have'),
    peersFactor: z
      .number()
      .min(1)
      .max(10_000)
      .default(100)
      .describe('Times as many hosts are needed when each is asked on a port of its own, as peers of file sharing are'),
    peerPorts: z
      .array(z.int().min(1).max(65_535))
      .default([4662, 4672, 6346, 6347, 6881, 6882, 6883, 6884, 6885, 6886, 6887, 6888, 6889, 51_413])
      .describe(
        'Ports of file sharing (eDonkey, Gnutella, BitTorrent): an inside host that fails at outside hosts on them tries old peers, which count for no sweep until they are peers_factor times as many',
      ),
    networkSources: count(4, 'Scanning sources of one /24 or /64 that make a scan of the network'),
    networkFactor: z.number().min(1).max(100).default(2).describe('Thresholds of a network, times those of a source'),
  })
  .prefault({});

const arp = z
  .strictObject({
    enabled: on('ARP sweeps, ARP spoofing'),
    windowSecs: secs(60, 'Seconds of the window'),
    targets: count(40, 'Distinct addresses asked for in the window that make an ARP sweep'),
    changes: count(
      3,
      'Unasked claims by a second MAC address, at most a window apart, while the first is alive, that make ARP spoofing',
    ),
    lies: count(
      2,
      'Claims among them that are replies to a host that had not asked, enough when the first address goes on answering',
    ),
    unasked: count(8, 'Replies in the window that nobody asked for, for two addresses or more, by one MAC address'),
  })
  .prefault({});

const flood = z
  .strictObject({
    enabled: on('SYN, UDP and ICMP floods and amplification'),
    synPerSec: count(80, 'SYNs a second to one address and port that got no completed handshake'),
    udpPerSec: count(3000, 'UDP packets a second to one address in flows without an answer'),
    udpFlowsPerSec: count(800, 'UDP flows a second to one address that got no answer in time'),
    icmpPerSec: count(300, 'ICMP packets a second to one address'),
    echoPerSec: count(100, 'Echo requests a second to one address, on the mean of ten seconds'),
    reflectedPerSec: count(250, 'UDP packets a second from one reflector port that nobody asked for'),
    reflectors: count(20, 'Distinct reflectors that make an amplification flood'),
    networkSources: count(
      50,
      'Unproven sources within a second that make it a flood, by the same rates, of a /24 or /64, or between outside addresses',
    ),
  })
  .prefault({});

const reflector = z
  .strictObject({
    enabled: on('inside services that are used as reflectors'),
    answerKibPerSec: count(64, 'KiB a second that an inside service answers to one outside address'),
    requestsPerSec: count(20, 'Requests a second, most of them the same'),
    factor: z.number().min(1).max(100_000).default(5).describe('Bytes answered for each byte asked'),
  })
  .prefault({});

const bruteForce = z
  .strictObject({
    enabled: on('brute force and password spraying'),
    windowSecs: secs(300, 'Seconds of the window'),
    failures: count(10, 'Failed logins of one source at one service in the window'),
    sprayUsers: count(5, 'Distinct users, tried with few passwords, that make it password spraying'),
    sprayHosts: count(5, 'Distinct hosts, tried a few times each, that make it password spraying'),
    distributedFailures: count(40, 'Failed logins at one target in the window, from several sources'),
    distributedSources: count(5, 'Sources that make guessing distributed'),
    networkFailures: count(
      20,
      'Failed logins in the window from one outside /24 or /64, of sources below the threshold',
    ),
    networkSources: count(4, 'Sources of the /24 or /64 that make it guessing of a network'),
    slowWindowSecs: secs(21_600, 'Seconds of the slow window'),
    slowFailures: count(60, 'Failed logins of one source at one service in the slow window'),
    slowLogins: count(8, 'Different logins among them, where they can be read: a program with an old password has one'),
    slowDistributedFailures: count(100, 'Failed logins at one target in the slow window, from several sources'),
    slowDistributedSources: count(20, 'Sources that make guessing in the slow window distributed'),
    slowNetworkFailures: count(40, 'Failed logins in the slow window from one outside /24 or /64'),
    maxRequestBytes: count(4096, 'Bytes from the client after which a connection is no longer read for logins'),
    sshMaxBytes: count(4000, 'Payload bytes either way behind the key exchange that make an SSH connection a session'),
    rdpMaxBytes: count(6000, 'Most payload bytes each way of an RDP connection without a session'),
  })
  .prefault({});

const httpFlood = z
  .strictObject({
    enabled: on('HTTP floods'),
    windowSecs: secs(10, 'Seconds of the window'),
    requests: count(1000, 'Requests of one source in the window, most of them for one URI'),
    targetRequests: count(
      500,
      'Requests to one server in the window of sources that ask for one URI over and over; four times as many connections over TLS',
    ),
    targetSources: count(20, 'Such sources that make it a flood of many sources'),
    usualFactor: z
      .number()
      .min(1)
      .max(1000)
      .default(3)
      .describe('Times the requests of its busiest usual window that a server must get, once it is known'),
    learnSecs: secs(
      1800,
      'Seconds after a server first was busy in which it is learned; sources that came in the last so many seconds are its newcomers',
    ),
  })
  .prefault({});

const slowHttp = z
  .strictObject({
    enabled: on('slow HTTP'),
    windowSecs: secs(120, 'Seconds of the window'),
    connections: count(5, 'Slow connections of one source in the window'),
    targetConnections: count(50, 'Slow connections to one target in the window, from several sources'),
    targetSources: count(5, 'Sources that make slow HTTP distributed'),
    stallSecs: secs(4, 'Seconds that a request or an answer must have been held up'),
    dripBytes: count(400, 'Most bytes of a packet that counts as a drip'),
    dripSecs: secs(0.8, 'Least mean seconds between drips'),
    closedWindow: z
      .int()
      .min(0)
      .max(65_535)
      .default(64)
      .describe('A receive window of at most this many bytes is shut'),
  })
  .prefault({});

const icmpTunnel = z
  .strictObject({
    enabled: on('ICMP tunnels'),
    windowSecs: secs(60, 'Seconds of the window'),
    mismatches: count(10, 'Echo replies in the window that differ from their request'),
    patterns: count(24, 'Different contents of echo packets of one source in the window'),
  })
  .prefault({});

const dns = z
  .strictObject({
    enabled: on('DNS tunnels and generated names'),
    windowSecs: secs(60, 'Seconds of the tunnel window'),
    names: count(40, 'Distinct names below one domain in the window'),
    longLabelBytes: count(30, 'Bytes of a label that count as data, whatever the domain'),
    meanNameBytes: count(20, 'Mean bytes of these names before the domain'),
    dgaWindowSecs: secs(300, 'Seconds of the window for generated names'),
    dgaDomains: count(25, 'Distinct missing domains in the window'),
    dgaMeanBytes: count(8, 'Mean bytes of their registered labels'),
  })
  .prefault({});

const beacon = z
  .strictObject({
    enabled: on('beacons'),
    intervals: count(15, 'Regular intervals'),
    minMeanSecs: secs(0.4, 'Least mean interval'),
    minIntervalSecs: secs(0.2, 'Connections closer together than this count as one'),
    maxVariation: z.number().min(0).max(2).default(0.36).describe('Most standard deviation over mean of the intervals'),
    restartFactor: z.number().min(1).max(1000).default(4).describe('An interval so many times the mean begins anew'),
  })
  .prefault({});

const lateral = z
  .strictObject({
    enabled: on('lateral movement'),
    windowSecs: secs(600, 'Seconds of the window'),
    hosts: count(10, 'Distinct inside hosts administered from one inside host in the window'),
    exempt: z.array(prefix).default([]).describe('Stations of administrators and monitoring systems'),
  })
  .prefault({});

const exfiltration = z
  .strictObject({
    enabled: on('unusual outgoing volume'),
    windowSecs: secs(3600, 'Seconds of the window'),
    minMiB: count(200, 'MiB sent outside in a window below which nothing is reported'),
    factor: z.number().min(1).max(1000).default(5).describe('Times the usual volume of the host'),
    ratio: z.number().min(1).max(1000).default(10).describe('Times what it received on the same connections'),
  })
  .prefault({});

const baseline = z
  .strictObject({
    enabled: z.boolean().default(true).describe('Learn what is usual of each inside host and service'),
    learnDays: z
      .number()
      .min(0)
      .max(365)
      .default(7)
      .describe('Days in which a host is learned; what is only unusual blocks nobody until then'),
    usualDays: z
      .int()
      .min(1)
      .max(30)
      .default(3)
      .describe('Days on which a host contacted a service that make it usual'),
    maxHosts: count(1024, 'Inside hosts learned; the longest unseen is forgotten beyond this'),
    maxServices: z.int().min(1).max(16).default(6).describe('Services a host whose volume is learned apart'),
    maxPeers: count(65_536, 'Services contacted by inside hosts that are remembered, of all hosts together'),
  })
  .prefault({});

const rogueDhcp = z
  .strictObject({
    enabled: on('rogue DHCP servers'),
    servers: z
      .array(z.string().refine((text) => parseIp(text)?.version === 4, 'not an IPv4 address'))
      .default([])
      .describe('The DHCP servers of this network; empty to learn them'),
    duids: z
      .array(z.string().regex(/^([0-9a-fA-F]{2}:?){3,130}$/, 'not a DUID in hexadecimal'))
      .default([])
      .describe('The DHCPv6 servers of this network, by their identifiers in hexadecimal; empty to learn them'),
    learnSecs: secs(900, 'Seconds after the first DHCP answer in which servers are learned'),
  })
  .prefault({});

const rogueRouter = z
  .strictObject({
    enabled: on('IPv6 router advertisements of unknown routers'),
    routers: z
      .array(z.string().refine((text) => parseIp(text)?.version === 6, 'not an IPv6 address'))
      .default([])
      .describe('Link-local addresses of the IPv6 routers of this network; empty to learn them'),
    learnSecs: secs(900, 'Seconds after the first advertisement in which routers are learned'),
  })
  .prefault({});

/** Options of the behaviour detectors. */
export const behaviourOptionsSchema = z.strictObject({
  answerTimeoutMs: z
    .int()
    .min(50)
    .max(10_000)
    .default(500)
    .describe('Milliseconds without an answer after which an attempt counts as failed'),
  maxPending: count(65_536, 'Attempts that can wait for their answer; the oldest is judged early beyond this'),
  maxSources: count(65_536, 'Sources remembered; the least conspicuous, longest unseen is evicted beyond this'),
  maxNetworks: count(8192, 'Source networks (/24, /64) remembered'),
  maxTargets: count(16_384, 'Targets remembered'),
  homeNetworks: z
    .array(prefix)
    .default(['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7'])
    .describe('Networks that are inside'),
  realertSecs: secs(60, 'Seconds before one behaviour of one source is reported again'),
  portScan,
  arp,
  flood,
  reflector,
  bruteForce,
  httpFlood,
  slowHttp,
  icmpTunnel,
  dns,
  beacon,
  lateral,
  exfiltration,
  rogueDhcp,
  rogueRouter,
  baseline,
});

export type BehaviourOptions = z.infer<typeof behaviourOptionsSchema>;
