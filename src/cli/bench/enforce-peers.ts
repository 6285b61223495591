import { execFileSync } from 'node:child_process';
import type { EnforceBackend, KernelOp } from '../../enforce/index.js';
import { createBackendFactory, createLayout, enforceOptionsSchema } from '../../enforce/index.js';
import { errorMessage } from '../../util/errors.js';
import { parseIp } from '../../util/ip.js';
import { LatencyHistogram } from '../../util/latency-histogram.js';
import type { BenchFigure } from './section.js';

const BANS = 100;
const LIST = 20_000;
/** Elements that the bouncer puts into one transaction. */
const BOUNCER_CHUNK = 200;

/**
 * How other programs add bans, beside ours in the same run. fail2ban itself is not started: what its actions run for each
 * ban is (action.d/nftables.conf and iptables.conf of Debian: one shell with one command). The bouncer of CrowdSec adds
 * over netlink in transactions of 200, which is done here with our own encoder; that it asks for decisions every 10 s
 * only (update_frequency) comes on top.
 */
export async function peersWays(netns: string, skip: (reason: string) => void): Promise<BenchFigure[]> {
  const figures: BenchFigure[] = [];
  const inNetns = (command: string): void => {
    execFileSync('ip', ['netns', 'exec', netns, 'sh', '-c', command], { stdio: 'pipe' });
  };
  const ways = [
    {
      name: 'fail2ban_nft',
      text: 'a ban the way of fail2ban: nftables action, a shell with nft for each',
      prepare: 'nft add table inet f2b-table && nft add set inet f2b-table addr-set-sshd "{ type ipv4_addr; }"',
      ban: (ip: string) => `nft add element inet f2b-table addr-set-sshd { ${ip} }`,
    },
    {
      name: 'fail2ban_iptables',
      text: 'a ban the way of fail2ban: iptables action, a rule for each',
      prepare:
        'iptables -w -N f2b-sshd && iptables -w -A f2b-sshd -j RETURN && iptables -w -I INPUT -p tcp -j f2b-sshd',
      ban: (ip: string) => `iptables -w -I f2b-sshd 1 -s ${ip} -j REJECT`,
    },
  ];
  for (const { name, text, prepare, ban } of ways) {
    try {
      inNetns(prepare);
    } catch (error) {
      skip(`${name}: ${errorMessage(error).split('\n')[0] ?? ''}`);
      continue;
    }
    const h = new LatencyHistogram();
    for (let i = 0; i < BANS; i++) {
      const startMs = performance.now();
      inNetns(ban(`192.0.${2 + (i >> 8)}.${i & 255}`));
      h.add((performance.now() - startMs) * 1000);
    }
    const figure = (suffix: string, q: number): BenchFigure => ({
      name: `enforce_peer_${name}_${suffix}`,
      value: Math.round(h.quantile(q)) / 1000,
      unit: 'ms',
      text: `${text} (${BANS} bans)`,
    });
    figures.push(figure('p50', 0.5), figure('p99', 0.99));
  }
  figures.push(await bouncerWay(netns));
  return figures;
}

async function bouncerWay(netns: string): Promise<BenchFigure> {
  const layout = createLayout(enforceOptionsSchema.parse({ table: 'bench_peer', log_blocked: false }));
  const backend: EnforceBackend = createBackendFactory({ netns })('netlink');
  await backend.open(layout);
  try {
    await backend.replace(layout, []);
    const startMs = performance.now();
    for (let from = 0; from < LIST; from += BOUNCER_CHUNK) {
      const ops = Array.from({ length: BOUNCER_CHUNK }, (_, i): KernelOp => {
        const n = from + i;
        const ip = parseIp(`198.18.${(n >> 8) & 255}.${n & 255}`)!;
        return { kind: 'add', element: { set: 'feed4_32', ip }, timeoutMs: 3_600_000 };
      });
      await backend.apply(layout, ops);
    }
    const ms = performance.now() - startMs;
    await backend.remove(layout);
    return {
      name: 'enforce_peer_crowdsec_list',
      value: Math.round(ms),
      unit: 'ms',
      text: `${LIST} addresses in netlink transactions of ${BOUNCER_CHUNK}, the way of crowdsec-firewall-bouncer`,
    };
  } finally {
    await backend.close();
  }
}
