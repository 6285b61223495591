import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';
import { INLINE_NODE_ARGS } from '../../daemons/inline/node-args.js';
import { shippedRules } from '../../daemons/rule-files.js';
import { parsePolicy } from '../../policy/index.js';
import { errorMessage } from '../../util/errors.js';
import { openRow, type Row } from './inline-net.js';
import { median, type BenchContext, type BenchFigure, type BenchSection } from './section.js';

const PORT = 8080;
const RATE_PPS = 20_000;
const LOAD_SECS = 3;
/** Before each measurement: a judge that has just started is slower until its code is compiled. */
const WARM_UP_SECS = 2;
const BULK_MIB = 256;
/** One takes a third of a second: a single one says little. The first is not counted, it fills the caches. */
const BULK_RUNS = 7;
const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));
const PEER = fileURLToPath(new URL('./inline-peer.js', import.meta.url));
const POLICY = `
format: 1
name: bench
description: Every signature drops.
when: { tiers: [signature] }
outcome: monitor
inline: { verdict: drop }
`;

/** Who judges during a round. */
interface Judge {
  name: string;
  text: string;
  start(): Promise<Judging | string>;
}

/** One that judges, until it is stopped. */
interface Judging {
  /** Absent when nobody does. */
  pid?: number | undefined;
  stop(): Promise<void>;
}

/** Added latency and throughput of inline verdicts, against no queue and against Suricata with the same rules. */
export const inlineSection: BenchSection = {
  name: 'inline',
  title: 'Inline verdicts by NFQUEUE',
  async run(context, skip) {
    let row: Row;
    try {
      row = openRow('plinline');
    } catch (error) {
      skip(`needs root and iproute2: ${errorMessage(error)}`);
      return [];
    }
    try {
      return await measure(row, context, skip);
    } finally {
      row.close();
    }
  },
};

async function measure(row: Row, context: BenchContext, skip: (reason: string) => void): Promise<BenchFigure[]> {
  const stopWeb = await startWeb(row, context.dir);
  const rules = context.rules ?? shippedRules();
  const figures: BenchFigure[] = [];
  const judges: Judge[] = [
    { name: 'plain', text: 'without a queue', start: () => Promise.resolve({ stop: () => Promise.resolve() }) },
    { name: 'inline', text: 'all judged', start: () => startInline(row, context.dir, rules, 0) },
    { name: 'bypass', text: 'with bypass after 1 MiB', start: () => startInline(row, context.dir, rules, 1024) },
    { name: 'suricata', text: 'Suricata in NFQ mode, same rules', start: () => startSuricata(row, context.dir, rules) },
  ];
  try {
    for (const judge of judges) {
      if (context.signal.aborted) break;
      context.progress(judge.text);
      const judging = await judge.start();
      if (typeof judging === 'string') {
        skip(judging);
        continue;
      }
      try {
        figures.push(...(await oneRound(row, judge, judging.pid)));
      } finally {
        await judging.stop();
      }
    }
  } finally {
    stopWeb();
  }
  return figures;
}

async function oneRound(row: Row, { name, text }: Judge, pid: number | undefined): Promise<BenchFigure[]> {
  const figures: BenchFigure[] = [];
  const add = (what: string, value: number, unit: string, about: string): void =>
    void figures.push({ name: `inline_${name}_${what}`, value, unit, text: `${about}, ${text}` });
  await datagramDelay(row, WARM_UP_SECS);
  const delay = await datagramDelay(row, LOAD_SECS);
  const at = `delay of datagrams between the interfaces of the router, ${RATE_PPS / 1000} kpps`;
  add('delay_p50', delay.p50Us / 1000, 'ms', at);
  add('delay_p99', delay.p99Us / 1000, 'ms', at);
  add('delay_lost', delay.lost, 'packets', `datagrams lost of ${delay.sent}`);
  const download = (): number =>
    Number(run(row.client, 'curl', ['-s', '-o', '/dev/null', '-w', '%{speed_download}', `${row.url}/bulk`]));
  download();
  const bulk = median(Array.from({ length: BULK_RUNS }, download));
  add('bulk', bulk / 1e6, 'MB/s', `download of ${BULK_MIB} MiB, median of ${BULK_RUNS}`);
  const load = (secs: number): string =>
    run(row.client, 'wrk', ['-t1', '-c16', `-d${secs}s`, '--latency', `${row.url}/small`]);
  load(WARM_UP_SECS);
  const beforeMs = cpuMs(pid);
  const wrk = load(LOAD_SECS);
  const spentMs = cpuMs(pid) - beforeMs;
  add('requests', Number(/Requests\/sec:\s*([\d.]+)/.exec(wrk)?.[1] ?? NaN), 'req/s', 'wrk, 16 connections');
  const requests = Number(/(\d+) requests in/.exec(wrk)?.[1] ?? NaN);
  if (pid !== undefined)
    add('request_cpu', (spentMs * 1000) / requests, 'us', 'CPU time of the judge for one of these requests');
  return figures;
}

async function datagramDelay(
  row: Row,
  secs: number,
): Promise<{ p50Us: number; p99Us: number; lost: number; sent: number }> {
  const wire = spawn('ip', ['netns', 'exec', row.router, process.execPath, PEER, 'wire', String(PORT), 'r0', 'r1']);
  const output = collect(wire);
  await until(() => output().includes('ready'), 10_000);
  const args = [PEER, 'source', row.serverIp, String(PORT), String(RATE_PPS), String(secs)];
  const sent = Number(run(row.client, process.execPath, args));
  await pause(300);
  wire.kill('SIGTERM');
  await until(() => output().includes('}'), 5000);
  const text = output();
  const { p50Us, p99Us, received } = JSON.parse(text.slice(text.indexOf('{'))) as Record<string, number>;
  return { p50Us: p50Us!, p99Us: p99Us!, lost: sent - received!, sent };
}

async function startWeb(row: Row, dir: string): Promise<() => void> {
  const root = join(dir, 'www');
  mkdirSync(root, { recursive: true });
  writeFileSync(join(root, 'small'), 'x'.repeat(512));
  execFileSync('truncate', ['-s', `${BULK_MIB}M`, join(root, 'bulk')]);
  const config = join(dir, 'nginx.conf');
  const http = `access_log off; sendfile on; keepalive_requests 1000000; server { listen ${PORT}; root ${root}; }`;
  const body = `daemon off; worker_processes 1; pid ${dir}/nginx.pid; user root; events {} http { ${http} }`;
  writeFileSync(config, body);
  const nginx = spawn('ip', ['netns', 'exec', row.server, 'nginx', '-c', config, '-e', join(dir, 'nginx.log')]);
  row.url = `http://${row.serverIp}:${PORT}`;
  // Nobody reads the datagrams, and nobody shall answer them.
  run(row.server, 'iptables-nft', ['-A', 'INPUT', '-p', 'udp', '--dport', String(PORT), '-j', 'DROP']);
  await until(() => tryRun(row.client, 'curl', ['-sf', '-o', '/dev/null', `${row.url}/small`]), 10_000);
  return () => nginx.kill();
}

/** The daemon as the operator runs it, told beforehand what a server would tell it. */
async function startInline(
  row: Row,
  dir: string,
  rules: readonly string[],
  bypassKib: number,
): Promise<Judging | string> {
  const state = join(dir, `state-${bypassKib}`);
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

function collect(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => (text = (text + chunk.toString()).slice(-20_000)));
  return () => text;
}

async function ended(child: ChildProcess): Promise<void> {
  child.kill('SIGTERM');
  await until(() => child.exitCode !== null || child.signalCode !== null, 10_000);
}

async function until(condition: () => boolean, limitMs: number): Promise<boolean> {
  for (const endMs = performance.now() + limitMs; performance.now() < endMs; await pause(50))
    if (condition()) return true;
  return false;
}

/** User and system time of all threads of a process, milliseconds; the kernel counts in steps of ten. */
function cpuMs(pid: number | undefined): number {
  if (pid === undefined) return 0;
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return 10 * (Number(fields[11]) + Number(fields[12]));
}

const run = (netns: string, program: string, args: readonly string[]): string =>
  execFileSync('ip', ['netns', 'exec', netns, program, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });

function tryRun(netns: string, program: string, args: readonly string[]): boolean {
  try {
    run(netns, program, args);
    return true;
  } catch {
    return false;
  }
}
