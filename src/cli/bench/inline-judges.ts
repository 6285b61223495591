import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { INLINE_NODE_ARGS } from '../../daemons/inline/node-args.js';
import { parsePolicy } from '../../policy/index.js';
import type { Row } from './inline-net.js';
import { collect, ended, PORT, run, tryRun, until } from './inline-tools.js';

const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));
const POLICY = `
format: 1
name: bench
description: Every signature drops.
when: { tiers: [signature] }
outcome: monitor
inline: { verdict: drop }
`;
/** What makes the kernel follow connections, as every stateful firewall has it. */
const STATEFUL = `table inet bench {
  chain forward {
    type filter hook forward priority 0; policy accept;
    ct state invalid drop
  }
}
`;

/** Who judges, or not. */
export interface Judge {
  name: string;
  text: string;
  /** @param row whose router it works in. @param dir scratch folder of its own. @returns why it cannot. */
  start(row: Row, dir: string): Promise<Judging | string>;
}

/** One that judges, until it is stopped. */
export interface Judging {
  /** Absent when nobody does. */
  pid?: number | undefined;
  stop(): Promise<void>;
}

/** Nobody, a firewall without a queue, ours twice, and Suricata. @param rules files of signatures. */
export function judgesOf(rules: readonly string[]): Judge[] {
  const inline =
    (bypassKib: number): Judge['start'] =>
    (row, dir) =>
      startInline(row, dir, rules, bypassKib);
  return [
    { name: 'plain', text: 'nobody', start: () => Promise.resolve({ stop: () => Promise.resolve() }) },
    { name: 'stateful', text: 'a stateful firewall without a queue', start: startStateful },
    { name: 'inline', text: 'all judged', start: inline(0) },
    { name: 'bypass', text: 'with bypass after 1 MiB', start: inline(1024) },
    {
      name: 'suricata',
      text: 'Suricata in NFQ mode, same rules',
      start: (row, dir) => startSuricata(row, dir, rules),
    },
  ];
}

function startStateful(row: Row, dir: string): Promise<Judging> {
  const file = join(dir, 'stateful.nft');
  writeFileSync(file, STATEFUL);
  run(row.router, 'nft', ['-f', file]);
  return Promise.resolve({
    stop() {
      run(row.router, 'nft', ['delete', 'table', 'inet', 'bench']);
      return Promise.resolve();
    },
  });
}

/** The daemon as the operator runs it, told beforehand what a server would tell it. */
async function startInline(
  row: Row,
  dir: string,
  rules: readonly string[],
  bypassKib: number,
): Promise<Judging | string> {
  const state = join(dir, 'state');
  mkdirSync(state, { recursive: true, mode: 0o700 });
  const policy = parsePolicy(POLICY, 'bench.yaml');
  const policies = policy.ok ? [{ ...policy.policy, version: 1, source: 'bench.yaml' }] : [];
  writeFileSync(join(state, 'told.json'), JSON.stringify({ mode: 'enforce', policies, exempt: [] }));
  const config = {
    name: 'bench',
    data_dir: dir,
    log_level: 'warn',
    detect: { signature: { rules } },
    inline: {
      enabled: true,
      state_dir: state,
      services: [`tcp/${PORT}`, `udp/${PORT}`],
      bypass: { after_kib: bypassKib },
      overload: { max_latency_ms: 1000 },
    },
  };
  const file = join(dir, 'inline.yaml');
  writeFileSync(file, JSON.stringify(config));
  // As the supervisor starts it.
  const command = [process.execPath, ...INLINE_NODE_ARGS, MAIN, 'inline', '--config', file];
  const child = spawn('ip', ['netns', 'exec', row.router, ...command]);
  const output = collect(child);
  const works = await until(() => /Packets are judged/.test(output()), 30_000);
  const answer = tryRun(row.client, 'curl', ['-sf', '-m', '2', '-o', '/dev/null', `${row.url}/small`]);
  if (!works || !answer) {
    child.kill();
    return `the inline daemon did not start: ${output().trim().split('\n').at(-1) ?? ''}`;
  }
  return { pid: child.pid, stop: () => ended(child) };
}

async function startSuricata(row: Row, dir: string, rules: readonly string[]): Promise<Judging | string> {
  const all = join(dir, 'suricata.rules');
  writeFileSync(
    all,
    rules
      .map((file) => execFileSync('cat', [file]))
      .join('\n')
      .replaceAll(/^alert /gm, 'drop '),
  );
  const config = join(dir, 'suricata-nfq.yaml');
  writeFileSync(config, SURICATA(dir));
  const queue = ['-t', 'mangle', '-A', 'FORWARD', '-j', 'NFQUEUE', '--queue-num', '60'];
  const args = ['netns', 'exec', row.router, 'suricata', '-c', config, '-S', all, '-q', '60', '-l', dir];
  let child: ChildProcess;
  try {
    execFileSync('suricata', ['-V'], { stdio: 'ignore' });
    child = spawn('ip', args);
  } catch {
    return 'suricata is not installed: no comparison with it';
  }
  const output = collect(child);
  if (!(await until(() => /engine started/i.test(output()), 60_000))) {
    child.kill();
    return `suricata did not start: ${output().trim().split('\n').at(-1) ?? ''}`;
  }
  run(row.router, 'iptables-nft', queue);
  return {
    pid: child.pid,
    async stop() {
      run(row.router, 'iptables-nft', ['-t', 'mangle', '-F', 'FORWARD']);
      await ended(child);
    },
  };
}

const SURICATA = (dir: string): string => `%YAML 1.1
---
vars:
  address-groups: { HOME_NET: "any", EXTERNAL_NET: "any", HTTP_SERVERS: "any", SQL_SERVERS: "any", DNS_SERVERS: "any" }
  port-groups: { HTTP_PORTS: "any", SSH_PORTS: "22" }
default-log-dir: ${dir}
outputs: []
logging: { default-log-level: notice, outputs: [ { console: { enabled: yes } } ] }
nfq: { mode: accept, batchcount: 20, fail-open: yes }
app-layer: { protocols: { http: { enabled: yes }, dns: { tcp: { enabled: yes }, udp: { enabled: yes } }, tls: { enabled: yes } } }
stream: { inline: yes, reassembly: { depth: 1mb } }
unix-command: { enabled: no }
`;
