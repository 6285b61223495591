import type { ProtectedEntry } from '../../domain/decision.js';
import { canonicalAddress } from '../../util/ip.js';
import type { Box } from './box.js';
import {
  isAuthenticatedSshd,
  parseDhcpLease,
  parseIpAddr,
  parseIpRoute,
  parseLogindSession,
  parseNtpConf,
  parseProcTcp,
  parseResolvConf,
  parseTimesyncdConf,
  parseUtmp,
  type TcpConnection,
} from './parsers.js';
import { readSshdSettings } from './sshd.js';

const NAME_CACHE_MS = 600_000;
const MAX_NAMES = 32;
/** A connection that is older than sshd's LoginGraceTime by so much is logged in. */
const GRACE_MARGIN_MS = 30_000;
/**
 * Where that time is not known and nothing else tells who is logged in, what is this old counts: OpenSSH waits 120 s by
 * default, Dropbear 300 s.
 */
const UNKNOWN_GRACE_MS = 600_000;
const LOGIND = '/run/systemd/sessions';

/** Finds what must never be blocked by looking at the box. Remembers names and sessions between calls. */
export class ProtectedCollector {
  private readonly box: Box;
  private readonly names = new Map<string, { atMs: number; addresses: string[] }>();
  /** Last answers of `ip route`: a failing program must not drop protection. */
  private routes: [string, string] = ['', ''];
  private sessionsSeen = new Map<string, number>();

  constructor(box: Box) {
    this.box = box;
  }

  /** @param nowMs monotonic milliseconds. @returns entries without duplicates; the first reason found wins. */
  async collect(configured: readonly string[], nowMs: number): Promise<ProtectedEntry[]> {
    const found = new Map<string, ProtectedEntry>();
    const add = (value: string | undefined, reason: ProtectedEntry['reason'], detail: string): void => {
      const address = canonicalAddress(value ?? '');
      if (address !== undefined && !found.has(address)) found.set(address, { value: address, reason, detail });
    };
    add('127.0.0.0/8', 'loopback', 'lo');
    add('::1', 'loopback', 'lo');
    const [addresses, routes4, routes6] = await Promise.all([
      this.box.ip(['-j', 'addr', 'show']),
      this.box.ip(['-j', '-4', 'route', 'show', 'table', 'all']),
      this.box.ip(['-j', '-6', 'route', 'show', 'table', 'all']),
    ]);
    const own = addresses === '' ? this.box.interfaces() : parseIpAddr(addresses);
    for (const a of own) add(a.address, 'own_address', a.interfaceName);
    this.routes = [routes4 === '' ? this.routes[0] : routes4, routes6 === '' ? this.routes[1] : routes6];
    for (const r of this.routes.flatMap(parseIpRoute)) {
      add(r.gateway, 'gateway', `${r.destination} via ${r.interfaceName}`);
    }
    for (const session of this.adminSessions(nowMs)) add(session.address, 'admin_session', session.detail);
    for (const value of configured) add(value, 'configured', 'enforce.guard.protected');
    for (const path of ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf']) {
      for (const address of parseResolvConf(this.text(path))) add(address, 'resolver', path);
    }
    for (const path of this.leaseFiles()) for (const a of parseDhcpLease(this.text(path))) add(a, 'dhcp', path);
    for (const { name, path } of this.ntpNames()) {
      for (const address of await this.addressesOf(name, nowMs)) add(address, 'ntp', `${name} in ${path}`);
    }
    return [...found.values()];
  }

  private text(path: string): string {
    return this.box.read(path)?.toString('utf8') ?? '';
  }

  private leaseFiles(): string[] {
    const folders = ['/run/systemd/netif/leases', '/var/lib/NetworkManager', '/var/lib/dhcp', '/var/lib/dhclient'];
    return folders.flatMap((dir) =>
      this.box
        .list(dir)
        .filter((name) => dir.endsWith('leases') || /leases?$/.test(name))
        .map((name) => `${dir}/${name}`),
    );
  }

  private ntpNames(): { name: string; path: string }[] {
    const files = (dir: string, end: string): string[] =>
      this.box.list(dir).flatMap((name) => (name.endsWith(end) ? [`${dir}/${name}`] : []));
    const ntp = [
      '/etc/chrony/chrony.conf',
      '/etc/chrony.conf',
      ...files('/etc/chrony/conf.d', '.conf'),
      ...files('/etc/chrony/sources.d', '.sources'),
      ...files('/run/chrony-dhcp', '.sources'),
      '/etc/ntp.conf',
      '/etc/ntpsec/ntp.conf',
    ];
    const timesyncd = ['/etc/systemd/timesyncd.conf', ...files('/etc/systemd/timesyncd.conf.d', '.conf')];
    const all = [
      ...ntp.flatMap((path) => parseNtpConf(this.text(path)).map((name) => ({ name, path }))),
      ...timesyncd.flatMap((path) => parseTimesyncdConf(this.text(path)).map((name) => ({ name, path }))),
    ];
    return all.slice(0, MAX_NAMES);
  }

  /** A name that stops resolving keeps its last addresses: losing DNS must not drop protection. */
  private async addressesOf(name: string, nowMs: number): Promise<string[]> {
    const literal = canonicalAddress(name);
    if (literal !== undefined) return [literal];
    const known = this.names.get(name);
    if (known && nowMs - known.atMs < NAME_CACHE_MS) return known.addresses;
    const fresh = await this.box.resolve(name);
    const addresses = fresh.length > 0 ? fresh : (known?.addresses ?? []);
    this.names.set(name, { atMs: nowMs, addresses });
    return addresses;
  }

  /**
   * People logged in over SSH. An established connection to sshd is not enough: a password guesser has one too. It
   * counts once sshd's process title, systemd-logind, utmp, our own SSH_CONNECTION or its age says that somebody is logged
   * in. The responder's unit sees neither processes of others nor, on newer systems, utmp: there it is logind.
   */
  private adminSessions(nowMs: number): { address: string; detail: string }[] {
    const sshd = readSshdSettings(this.box);
    const ports = new Set([22, ...sshd.ports]);
    const connections = ['/proc/net/tcp', '/proc/net/tcp6']
      .flatMap((path) => parseProcTcp(this.text(path)))
      .filter((c) => ports.has(c.localPort));
    const loggedIn = this.loggedIn();
    const own = canonicalAddress(this.box.env['SSH_CONNECTION']?.split(' ')[0] ?? '');
    const out = own === undefined ? [] : [{ address: own, detail: 'SSH_CONNECTION' }];
    const inodes = connections.length > 0 ? this.authenticatedInodes() : new Set<string>();
    const oldMs = sshd.graceMs === undefined ? this.ageWhereUnknown() : sshd.graceMs + GRACE_MARGIN_MS;
    const seen = new Map<string, number>();
    for (const c of connections) {
      // The inode too: who connects again and again from one port has not been there all the time.
      const key = `${c.peer} ${c.peerPort} ${c.localPort} ${c.inode}`;
      const sinceMs = this.sessionsSeen.get(key) ?? nowMs;
      seen.set(key, sinceMs);
      // What answers at a port that sshd does not use, or has not taken yet, may keep anybody for ever.
      const isSshd = sshd.ports.includes(c.localPort) && c.inode !== '0';
      const isOld = isSshd && nowMs - sinceMs >= oldMs;
      const why = sessionProof(c, { inodes, loggedIn, isOld });
      if (why !== undefined) out.push({ address: c.peer, detail: `ssh session on port ${c.localPort}, ${why}` });
    }
    this.sessionsSeen = seen;
    return out;
  }

  /** Who is logged in, by address: what systemd-logind and utmp(5) say. */
  private loggedIn(): Map<string, string> {
    const utmp = parseUtmp(this.box.read('/run/utmp') ?? this.box.read('/var/run/utmp') ?? Buffer.alloc(0));
    // Beside each session lies a pipe, ID.ref, which nobody may read.
    const ids = this.box.list(LOGIND).filter((id) => /^[A-Za-z0-9]+$/.test(id));
    const logind = ids.flatMap((id) => parseLogindSession(this.text(`${LOGIND}/${id}`)) ?? []);
    return new Map([...utmp, ...logind].map(({ address, user }) => [address, user]));
  }

  /** Under systemd logind tells who is logged in: then age proves nothing where sshd's limit is not known, or is none. */
  private ageWhereUnknown(): number {
    const run = this.box.list('/run/systemd');
    return run.includes('system') && run.includes('sessions') ? Infinity : UNKNOWN_GRACE_MS;
  }

  /** Socket inodes held by sshd processes whose title shows a login. */
  private authenticatedInodes(): Set<string> {
    const inodes = new Set<string>();
    for (const pid of this.box.list('/proc')) {
      if (!/^\d+$/.test(pid) || !isAuthenticatedSshd(this.text(`/proc/${pid}/cmdline`))) continue;
      for (const fd of this.box.list(`/proc/${pid}/fd`)) {
        const inode = /^socket:\[(\d+)\]$/.exec(this.box.link(`/proc/${pid}/fd/${fd}`) ?? '')?.[1];
        if (inode !== undefined) inodes.add(inode);
      }
    }
    return inodes;
  }
}

function sessionProof(
  c: TcpConnection,
  known: { inodes: ReadonlySet<string>; loggedIn: ReadonlyMap<string, string>; isOld: boolean },
): string | undefined {
  if (known.inodes.has(c.inode)) return 'logged in';
  const user = known.loggedIn.get(c.peer);
  if (user !== undefined) return `user ${user}`;
  return known.isOld ? 'older than the login grace time' : undefined;
}
