import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { createReadStream, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { SIEM_EVENT_VERSION, type SiemAlertEvent } from '../../domain/siem-event.js';
import {
  FORMATTERS,
  openForwarder,
  siemOptionsSchema,
  type FormatContext,
  type Forwarder,
} from '../../forward/index.js';
import { errorMessage } from '../../util/errors.js';
import { silentLogger } from '../../util/logger.js';
import { uuid7 } from '../../util/uuid7.js';
import type { BenchContext, BenchFigure, BenchSection } from './section.js';

const FORMAT_EVENTS = 200_000;
const WIRE_EVENTS = 100_000;
const SPOOL_EVENTS = Number(process.env['PORTCULLIS_BENCH_EVENTS'] ?? 1_000_000);
/** As a sender on a connection: no faster than the receiver takes it, so many events ahead. */
const AHEAD = 8000;
const WIRE_ROUNDS = 3;
const LOGGEN_BYTES = 700;
const LINE_FEED = 10;

const CONTEXT: FormatContext = {
  productVersion: '0',
  hostName: 'bench',
  add: [],
  cefVersion: 0,
  dataset: 'portcullis.event',
  namespace: 'default',
  splunkSourcetype: 'portcullis:event',
};

/** Formatting, delivery to a real rsyslog beside loggen, and a million events through the spool. */
export const siemSection: BenchSection = {
  name: 'siem',
  title: 'Events to the SIEM',
  async run(context, skip) {
    const figures = [benchFormat()];
    figures.push(...(await benchWire(context, skip)));
    context.progress(`${SPOOL_EVENTS} events through the spool`);
    figures.push(...(await benchSpool(context)));
    return figures;
  },
};

/** An alert of usual size: about 700 bytes as CEF. */
function sampleAlert(n: number): SiemAlertEvent {
  const nowMs = Date.now();
  return {
    version: SIEM_EVENT_VERSION,
    kind: 'alert',
    id: uuid7(),
    tsMs: nowMs,
    sensor: 'bench',
    severity: 'medium',
    message: `212 distinct ports in 2 s; usual: 3 (number ${n})`,
    gid: 2,
    signatureId: 1001,
    rev: 1,
    title: 'TCP port scan',
    label: 'port_scan',
    category: 'Attempted Information Leak',
    tiers: ['behaviour'],
    score: 87.5,
    confidence: 0.93,
    attack: {
      tacticId: 'TA0043',
      tacticName: 'Reconnaissance',
      techniqueId: 'T1046',
      techniqueName: 'Network Service Discovery',
    },
    src: { ip: '203.0.113.7', port: 40001 },
    dst: { ip: '10.0.0.5', port: 22 },
    proto: 6,
    appProto: 'ssh',
    direction: 'inbound',
    communityId: '1:wCb3OG7yAFWelaUydu0D+125CLM=',
    count: 1,
    firstMs: nowMs,
    lastMs: nowMs,
    action: 'allowed',
    evidence: [{ name: 'distinct_ports', value: 212, text: '212 distinct ports in 2 s; usual: 3' }],
  };
}

/** CPU time, so that other load on the box does not change the figure. */
function benchFormat(): BenchFigure {
  const event = sampleAlert(1);
  let bytes = 0;
  for (let i = 0; i < 20_000; i++) bytes += FORMATTERS.cef(event, CONTEXT).length;
  const start = process.cpuUsage();
  for (let i = 0; i < FORMAT_EVENTS; i++) bytes += FORMATTERS.cef({ ...event, tsMs: event.tsMs + i }, CONTEXT).length;
  const used = process.cpuUsage(start);
  const value = Math.round(FORMAT_EVENTS / ((used.user + used.system) / 1e6));
  const size = Math.round(bytes / (FORMAT_EVENTS + 20_000));
  return {
    name: 'siem_cef_format',
    value,
    unit: 'events/s',
    text: `CEF formatting on one core, ${size} bytes an event`,
  };
}

async function benchWire(context: BenchContext, skip: (reason: string) => void): Promise<BenchFigure[]> {
  const port = await freePort();
  let receiver: ChildProcess;
  const file = join(context.dir, 'rsyslog.log');
  try {
    execFileSync('rsyslogd', ['-v'], { stdio: 'pipe' });
    receiver = await startRsyslog(context.dir, port, file);
  } catch (error) {
    skip(`delivery needs rsyslogd: ${errorMessage(error)}`);
    return [];
  }
  try {
    // In turn and the best of each: what else runs on the machine hits both alike.
    let ours = 0;
    let cpuUs = Infinity;
    let peer: number | undefined;
    for (let round = 1; round <= WIRE_ROUNDS; round++) {
      context.progress(`${WIRE_EVENTS} events to rsyslog over TCP, round ${round} of ${WIRE_ROUNDS}`);
      const cpuBefore = process.cpuUsage();
      ours = Math.max(ours, await deliverToRsyslog(context, port, { file, round }));
      const { user, system } = process.cpuUsage(cpuBefore);
      cpuUs = Math.min(cpuUs, (user + system) / WIRE_EVENTS);
      const rate = await runLoggen(port, file, await countLines(file));
      if (rate !== undefined) peer = Math.max(peer ?? 0, rate);
    }
    const figures: BenchFigure[] = [
      {
        name: 'siem_rsyslog_tcp',
        value: ours,
        unit: 'events/s',
        text: `push to confirmed in rsyslog over TCP, spooled and formatted, ${AHEAD} ahead, best of ${WIRE_ROUNDS}`,
      },
    ];
    figures.push({
      name: 'siem_rsyslog_tcp_cpu',
      value: Math.round(cpuUs * 10) / 10,
      unit: 'us',
      text: 'CPU of an event on this way, made up, spooled, formatted, sent and counted in the file',
    });
    if (peer === undefined) {
      skip('comparison needs loggen (package syslog-ng-core)');
      return figures;
    }
    figures.push({
      name: 'loggen_rsyslog_tcp',
      value: peer,
      unit: 'events/s',
      text: `loggen, ${LOGGEN_BYTES} bytes, same rsyslog, best of ${WIRE_ROUNDS}`,
    });
    const ratio = Math.round((ours / peer) * 100) / 100;
    figures.push({ name: 'siem_vs_loggen', value: ratio, unit: 'ratio', text: 'ours over loggen, same run' });
    return figures;
  } finally {
    receiver.kill('SIGKILL');
  }
}

/** Pushes as fast as spool and destination take it. */
async function pushAll(forwarder: Forwarder, count: number, onChunk: () => void = () => undefined): Promise<void> {
  for (let n = 0; n < count; n++) {
    forwarder.push(sampleAlert(n));
    if (n % 500 !== 499) continue;
    onChunk();
    do await new Promise((resolve) => setImmediate(resolve));
    while (forwarder.stats().spoolPending > 5000 || (forwarder.status()[0]?.backlogEvents ?? 0) > AHEAD);
  }
}

async function open(context: BenchContext, name: string, destination: object): Promise<Forwarder> {
  const dataDir = join(context.dir, name);
  mkdirSync(dataDir);
  const options = siemOptionsSchema.parse({ aggregate: { window: 0 }, destinations: [{ name, ...destination }] });
  return openForwarder(options, { dataDir, log: silentLogger, now: () => Date.now(), hostName: 'bench' });
}

async function deliverToRsyslog(
  context: BenchContext,
  port: number,
  { file, round }: { file: string; round: number },
): Promise<number> {
  const before = await countLines(file);
  const forwarder = await open(context, `wire-${round}`, { preset: 'rsyslog', transport: { host: '127.0.0.1', port } });
  const startMs = performance.now();
  await pushAll(forwarder, WIRE_EVENTS);
  await forwarder.close(120_000);
  const elapsedMs = performance.now() - startMs;
  const deadlineMs = performance.now() + 20_000;
  while ((await countLines(file)) < before + WIRE_EVENTS) {
    if (performance.now() > deadlineMs) throw new Error('rsyslog did not store every event');
    await sleep(50);
  }
  return Math.round((WIRE_EVENTS / elapsedMs) * 1000);
}

async function benchSpool(context: BenchContext): Promise<BenchFigure[]> {
  const file = join(context.dir, 'events.cef');
  const forwarder = await open(context, 'spool', {
    preset: 'file',
    format: 'cef',
    path: file,
    rotate_bytes: '64MiB',
    keep_files: 1,
  });
  const startMs = performance.now();
  let pushed = 0;
  // Memory in use goes up and down with the collector: means over a fifth of the run, and the highest.
  const fifths = Array.from({ length: 5 }, () => ({ sum: 0, count: 0 }));
  let peak = 0;
  await pushAll(forwarder, SPOOL_EVENTS, () => {
    const fifth = fifths[Math.floor((pushed * 5) / SPOOL_EVENTS)]!;
    pushed += 500;
    const rss = process.memoryUsage.rss();
    fifth.sum += rss;
    fifth.count++;
    peak = Math.max(peak, rss);
  });
  await forwarder.close(120_000);
  const rate = Math.round((SPOOL_EVENTS / (performance.now() - startMs)) * 1000);
  const toMb = (bytes: number): number => Math.round(bytes / 1e6);
  return [
    {
      name: 'siem_spool',
      value: rate,
      unit: 'events/s',
      text: `${SPOOL_EVENTS} events spooled, formatted, confirmed in a file`,
    },
    {
      name: 'siem_spool_memory_second_fifth',
      value: toMb(fifths[1]!.sum / fifths[1]!.count),
      unit: 'MB',
      text: 'mean memory of the process over the second fifth of them',
    },
    {
      name: 'siem_spool_memory_last_fifth',
      value: toMb(fifths[4]!.sum / fifths[4]!.count),
      unit: 'MB',
      text: 'mean memory over the last fifth: flat when it is the same',
    },
    { name: 'siem_spool_memory_peak', value: toMb(peak), unit: 'MB', text: 'highest memory until the last' },
  ];
}

async function startRsyslog(dir: string, port: number, file: string): Promise<ChildProcess> {
  const conf = join(dir, 'rsyslog.conf');
  writeFileSync(
    conf,
    `global(workDirectory="${dir}" maxMessageSize="64k")
module(load="imptcp")
input(type="imptcp" port="${port}" address="127.0.0.1")
template(name="raw" type="string" string="%rawmsg%\\n")
action(type="omfile" file="${file}" template="raw")
`,
  );
  const child = spawn('rsyslogd', ['-n', '-C', '-f', conf, '-i', join(dir, 'rsyslog.pid')], { stdio: 'ignore' });
  const deadlineMs = performance.now() + 10_000;
  while (!(await accepts(port))) {
    if (child.exitCode !== null || performance.now() > deadlineMs) throw new Error('rsyslogd does not start');
    await sleep(20);
  }
  return child;
}

/** @returns lines a second that rsyslog stored, or undefined when there is no loggen. */
async function runLoggen(port: number, file: string, linesBefore: number): Promise<number | undefined> {
  const root = process.env['PORTCULLIS_SYSLOG_NG'] ?? '';
  const unpacked = join(root, 'usr/bin/loggen');
  const command = root !== '' && existsSync(unpacked) ? unpacked : 'loggen';
  const prefix = join(root, 'usr');
  const env = { ...process.env, LD_LIBRARY_PATH: join(prefix, 'lib/syslog-ng'), SYSLOGNG_PREFIX: prefix };
  const args = [
    '--inet',
    '--stream',
    '--rate',
    '1000000',
    '--size',
    String(LOGGEN_BYTES),
    '--number',
    String(WIRE_EVENTS),
  ];
  const startMs = performance.now();
  try {
    await promisify(execFile)(command, [...args, '127.0.0.1', String(port)], { env, timeout: 60_000 });
  } catch {
    return undefined;
  }
  const sentMs = performance.now() - startMs;
  const deadlineMs = performance.now() + 20_000;
  while ((await countLines(file)) < linesBefore + WIRE_EVENTS && performance.now() < deadlineMs) await sleep(20);
  return Math.round((((await countLines(file)) - linesBefore) / sentMs) * 1000);
}

async function countLines(file: string): Promise<number> {
  if (!existsSync(file)) return 0;
  let lines = 0;
  for await (const part of createReadStream(file) as AsyncIterable<Buffer>) {
    for (let i = part.indexOf(LINE_FEED); i >= 0; i = part.indexOf(LINE_FEED, i + 1)) lines++;
  }
  return lines;
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
