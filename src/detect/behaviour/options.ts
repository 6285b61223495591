import { z } from 'zod';

const count = (value: number, what: string) => z.int().min(1).max(100_000_000).default(value).describe(what);
const secs = (value: number, what: string) => z.number().min(0.1).max(604_800).default(value).describe(what);
const on = (what: string) => z.boolean().default(true).describe(`Look for ${what}`);

const portScan = z
  .strictObject({
    enabled: on('port scans and host sweeps'),
    windowSecs: secs(60, 'Seconds of the fast window'),
    ports: count(10, 'Distinct failed ports in the fast window that make a port scan'),
    hosts: count(20, 'Distinct hosts that did not answer in the fast window that make a host sweep'),
    slowWindowSecs: secs(21_600, 'Seconds of the slow window'),
    slowPorts: count(16, 'Distinct failed ports in the slow window that make a slow port scan'),
    slowHosts: count(60, 'Distinct hosts that did not answer in the slow window that make a slow host sweep'),
    minPortsPerHost: count(4, 'Failed ports a host that tell a port scan from a sweep'),
    minHostsPerNetwork: count(4, 'Hosts a /24 or /64 that make the failed hosts neighbours'),
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
    networkSources: count(4, 'Scanning sources of one /24 or /64 that make a scan of the network'),
    networkFactor: z.number().min(1).max(100).default(2).describe('Thresholds of a network, times those of a source'),
  })
  .prefault({});

const arp = z
  .strictObject({
    enabled: on('ARP sweeps, ARP spoofing'),
    windowSecs: secs(60, 'Seconds of the window'),
    targets: count(40, 'Distinct addresses asked for in the window that make an ARP sweep'),
    learnSecs: secs(300, 'Seconds for which an address must have kept one MAC address before a change is suspicious'),
    changes: count(3, 'Claims by the second MAC address while the first is still alive that make ARP spoofing'),
  })
  .prefault({});

const flood = z
  .strictObject({
    enabled: on('SYN, UDP and ICMP floods and amplification'),
    synPerSec: count(80, 'SYNs a second to one address and port that got no completed handshake'),
    udpPerSec: count(3000, 'UDP packets a second to one address in flows without an answer'),
    udpFlowsPerSec: count(800, 'New UDP flows a second to one address without an answer'),
    icmpPerSec: count(500, 'ICMP packets a second to one address'),
    reflectedPerSec: count(400, 'UDP packets a second from one reflector port that nobody asked for'),
    reflectors: count(20, 'Distinct reflectors that make an amplification flood'),
  })
  .prefault({});

const bruteForce = z
  .strictObject({
    enabled: on('brute force and password spraying'),
    windowSecs: secs(300, 'Seconds of the window'),
    failures: count(8, 'Failed logins of one source at one service in the window'),
    sprayUsers: count(5, 'Distinct users, tried with few passwords, that make it password spraying'),
    sprayHosts: count(5, 'Distinct hosts, tried a few times each, that make it password spraying'),
    distributedFailures: count(40, 'Failed logins at one target in the window, from several sources'),
    distributedSources: count(5, 'Sources that make guessing distributed'),
    maxRequestBytes: count(4096, 'Bytes from the client after which a connection is no longer read for logins'),
    sshMinBytes: count(700, 'Least payload bytes each way of an SSH connection that got as far as a login'),
    sshMaxBytes: count(4000, 'Most payload bytes each way of an SSH connection without a session'),
    sshHandshakeBytes: count(1900, 'Payload bytes from the client up to the first password'),
    sshAttemptBytes: count(150, 'Payload bytes from the client a password'),
    rdpMaxBytes: count(6000, 'Most payload bytes each way of an RDP connection without a session'),
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
  realertSecs: secs(60, 'Seconds before one behaviour of one source is reported again'),
  portScan,
  arp,
  flood,
  bruteForce,
});

export type BehaviourOptions = z.infer<typeof behaviourOptionsSchema>;
