import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';
import { shippedRules } from '../../daemons/rule-files.js';
import { errorMessage } from '../../util/errors.js';
import { judgesOf, type Judge } from './inline-judges.js';
import { openRow, type Row } from './inline-net.js';
import { collect, cpuMs, PORT, run, tryRun, until } from './inline-tools.js';
import { median, type BenchContext, type BenchFigure, type BenchSection } from './section.js';

const RATE_PPS = 20_000;
/** Everything is measured so often, all judges in turn, every second time in the other order: a machine's speed drifts. */
const TURNS = 3;
/** A download takes a third of a second: a single one says little. The first is not counted, it fills the caches. */
const BULK_TURNS = 11;
const BULK_MIB = 256;
/** A connection that goes on for so long, one file after the other: what begins it no longer counts. */
const STEADY_SECS = 2;
const STEADY_MOST = 16;
const LOAD_SECS = 3;
/** Before what counts: a judge that has just started is slower until its code is compiled. */
const WARM_UP_SECS = 2;
const PEER = fileURLToPath(new URL('./inline-peer.js', import.meta.url));

/** Added latency and throughput of inline verdicts, against no queue and against Suricata with the same rules. */
export const inlineSection: BenchSection = {
  name: 'inline',
  title: 'Inline verdicts by NFQUEUE',
  async run(context, skip) {
    const lanes: Lane[] = [];
    try {
      for (const judge of judgesOf(context.rules ?? shippedRules())) {
        context.progress(`${judge.text}: starts`);
        const lane = await openLane(judge, join(context.dir, judge.name)).catch(errorMessage);
        if (typeof lane === 'string') skip(`${judge.text}: ${lane}`);
        else lanes.push(lane);
      }
      const figures = new Figures(lanes);
      await measure(lanes, figures, context);
      return figures.told();
    } finally {
      for (const lane of lanes) await lane.close();
    }
  },
};

/** A client, a router with one judge, and a server. All are there at once; who is not measured has nothing to do. */
interface Lane {
  judge: Judge;
  row: Row;
  pid: number | undefined;
  close(): Promise<void>;
}

/** @returns why this judge cannot be measured. @throws without root, iproute2, nginx or curl. */
async function openLane(judge: Judge, dir: string): Promise<Lane | string> {
  mkdirSync(dir, { recursive: true });
  const row = openRow(`pl${judge.name}`);
  let stopWeb: (() => void) | undefined;
  try {
    stopWeb = await startWeb(row, dir);
    const judging = await judge.start(row, dir);
    if (typeof judging !== 'string')
      return {
        judge,
        row,
        pid: judging.pid,
        async close() {
          await judging.stop();
          stopWeb?.();
          row.close();
        },
      };
    stopWeb();
    row.close();
    return judging;
  } catch (error) {
    stopWeb?.();
    row.close();
    throw error;
  }
}

/** What was measured, by judge; told is the median of all turns. */
class Figures {
  private readonly lanes: readonly Lane[];
  private readonly measured = new Map<string, Omit<BenchFigure, 'value'> & { values: number[] }>();

  constructor(lanes: readonly Lane[]) {
    this.lanes = lanes;
  }

  add({ judge }: Lane, what: string, value: number, unit: string, about: string): void {
    const name = `inline_${judge.name}_${what}`;
    const known = this.measured.get(name) ?? { name, unit, text: `${about}, ${judge.text}`, values: [] };
    this.measured.set(name, known);
    known.values.push(value);
  }

  told(): BenchFigure[] {
    const order = ({ name }: { name: string }): number =>
      this.lanes.findIndex(({ judge }) => name.startsWith(`inline_${judge.name}_`));
    return [...this.measured.values()]
      .sort((a, b) => order(a) - order(b))
      .map(({ values, ...figure }) => ({ ...figure, value: median(values) }));
  }
}

async function measure(lanes: readonly Lane[], figures: Figures, { progress, signal }: BenchContext): Promise<void> {
  async function inTurn(what: string, turns: number, one: (lane: Lane) => Promise<void> | void): Promise<void> {
    for (let turn = 0; turn < turns; turn++)
      for (const lane of turn % 2 === 0 ? lanes : lanes.toReversed()) {
        if (signal.aborted) return;
        progress(`${what}, ${lane.judge.text}, ${turn + 1} of ${turns}`);
        await one(lane);
      }
  }
  await inTurn('delay', 1, async ({ row }) => void (await datagramDelay(row, WARM_UP_SECS)));
  await inTurn('delay', TURNS, async (lane) => {
    const delay = await datagramDelay(lane.row, LOAD_SECS);
    const about = `delay of datagrams between the interfaces of the router, ${RATE_PPS / 1000} kpps`;
    figures.add(lane, 'delay_p50', delay.p50Us / 1000, 'ms', about);
    figures.add(lane, 'delay_p99', delay.p99Us / 1000, 'ms', about);
    figures.add(lane, 'delay_lost', delay.lost, 'packets', `datagrams lost of ${delay.sent}`);
  });
  const rates = new Map<Lane, number>();
  await inTurn('download', 1, ({ row }) => void download(row, 1));
  await inTurn('download', BULK_TURNS, (lane) => {
    rates.set(lane, download(lane.row, 1));
    figures.add(lane, 'bulk', rates.get(lane)! / 1e6, 'MB/s', `download of ${BULK_MIB} MiB by a new connection`);
  });
  await inTurn('steady download', TURNS, (lane) => {
    const files = Math.ceil((STEADY_SECS * rates.get(lane)!) / (BULK_MIB * 1024 * 1024));
    const rate = download(lane.row, Math.min(STEADY_MOST, files));
    figures.add(lane, 'steady', rate / 1e6, 'MB/s', `downloads by one connection for ${STEADY_SECS} s`);
  });
  await inTurn('requests', 1, ({ row }) => void requests(row, WARM_UP_SECS));
  await inTurn('requests', TURNS, (lane) => {
    const beforeMs = cpuMs(lane.pid);
    const { count, perSec } = requests(lane.row, LOAD_SECS);
    figures.add(lane, 'requests', perSec, 'req/s', 'wrk, 16 connections');
    if (lane.pid === undefined) return;
    const eachUs = ((cpuMs(lane.pid) - beforeMs) * 1000) / count;
    figures.add(lane, 'request_cpu', eachUs, 'us', 'CPU time of the judge for one of these requests');
  });
}

/** @param files one after the other by the same connection. @returns bytes a second of all of them. */
function download(row: Row, files: number): number {
  const targets = Array.from({ length: files }, () => ['-o', '/dev/null', `${row.url}/bulk`]).flat();
  const output = run(row.client, 'curl', ['-s', '-w', '%{time_total} ', ...targets]);
  const secs = output
    .trim()
    .split(' ')
    .reduce((sum, text) => sum + Number(text), 0);
  return (files * BULK_MIB * 1024 * 1024) / secs;
}

function requests(row: Row, secs: number): { count: number; perSec: number } {
  const output = run(row.client, 'wrk', ['-t1', '-c16', `-d${secs}s`, '--latency', `${row.url}/small`]);
  return {
    count: Number(/(\d+) requests in/.exec(output)?.[1] ?? NaN),
    perSec: Number(/Requests\/sec:\s*([\d.]+)/.exec(output)?.[1] ?? NaN),
  };
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
