import { execFileSync } from 'node:child_process';
import { errorMessage } from '../../util/errors.js';
import { LatencyHistogram } from '../../util/latency-histogram.js';
import type { BenchFigure } from './section.js';

const BANS = 100;

/**
 * How fail2ban adds bans, beside ours in the same run. fail2ban itself is not started: what its actions run for each ban is
 * (action.d/nftables.conf and iptables.conf of Debian: one shell with one command).
 */
export function fail2banWays(netns: string, skip: (reason: string) => void): BenchFigure[] {
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
  return figures;
}
