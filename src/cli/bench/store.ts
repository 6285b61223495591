import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import { openStore, type PageResult, type Store, type StoreOptions } from '../../store/index.js';
import { mariaDbMissing, openOwnMariaDb } from './mariadb.js';
import {
  copyBack,
  copyRollups,
  noteBase,
  openRawMysql,
  openRawSqlite,
  type Copying,
  type RawSql,
} from './store-copies.js';
import type { BenchContext, BenchFigure, BenchSection } from './section.js';
import {
  ALERT_DAYS,
  attacker,
  createMaker,
  DAY_MS,
  FLOW_DAYS,
  inside,
  makeAlert,
  makeBlock,
  makeFlow,
} from './store-data.js';

const rowsOf = (text: string): number[] => text.split(',').map(Number);
/** Alerts, flows and blocks of the tables; PORTCULLIS_BENCH_STORE=100000,500000,10000 makes smaller ones, 0 leaves SQLite out. */
const ROWS = rowsOf(process.env['PORTCULLIS_BENCH_STORE'] ?? '1000000,5000000,100000');
/** The same for MariaDB; 0 leaves it out. */
const MARIADB_ROWS = rowsOf(process.env['PORTCULLIS_BENCH_MARIADB'] ?? ROWS.join(','));
/** Tables are kept in this folder and used again, when it is given. */
const KEPT_DIR = process.env['PORTCULLIS_BENCH_STORE_DIR'];
/** Only queries whose name holds this. */
const ONLY = process.env['PORTCULLIS_BENCH_QUERY'] ?? '';
const RUNS = 40;
const AT_ONCE = 5000;
const BUFFER_POOL_MIB = 512;

type Query = (store: Store, n: number) => Promise<PageResult<unknown> | object>;
const alerts =
  (q: (n: number) => string): Query =>
  (store, n) =>
    store.alerts.list({ limit: 50, q: q(n) });
const flows =
  (q: (n: number) => string): Query =>
  (store, n) =>
    store.flows.list({ limit: 50, q: q(n) });
const blocks =
  (q: (n: number) => string): Query =>
  (store, n) =>
    store.decisions.list({ limit: 50, q: q(n), state: 'active' }, Date.now());

/** Each query with the bound that it is held to, milliseconds. */
const QUERIES: readonly [name: string, query: Query][] = [
  ['alerts', alerts(() => '')],
  ['alerts before a day', alerts((n) => `before:${Date.now() - n * DAY_MS}`)],
  ['alerts is:open', alerts(() => 'is:open')],
  ['alerts ip: rare', alerts((n) => `ip:${attacker(100_000 + n * 997)}`)],
  ['alerts ip: busy', alerts((n) => `ip:${inside(n)}`)],
  ['alerts ip: /24', alerts((n) => `ip:11.1.${n}.0/24`)],
  ['alerts ip: /9', alerts(() => 'ip:11.0.0.0/9')],
  ['alerts label:', alerts((n) => (n % 2 ? 'label:beacon' : 'label:rare_label'))],
  ['alerts label: and is:', alerts(() => 'label:rare_label is:archived severity>=high')],
  ['alerts severity>=', alerts(() => 'severity>=high')],
  ['alerts score>', alerts((n) => `score>${0.999 + n / 100_000}`)],
  ['alerts tier:', alerts(() => 'tier:anomaly')],
  ['alerts sid:', alerts((n) => `sid:${1000 + n * 60}`)],
  ['alerts port:', alerts((n) => `port:${30_000 + n}`)],
  ['alerts word, common', alerts(() => 'scan')],
  ['alerts word, rare', alerts((n) => `"rule ${2000 + n}"`)],
  ['alerts word, none', alerts(() => 'nothing-has-this-word')],
  ['alerts words, not', alerts((n) => `brute -is:archived -label:beacon "rule ${n}"`)],
  ['flows', flows(() => '')],
  ['flows ip: busy', flows((n) => `ip:${inside(n)}`)],
  ['flows ip: rare', flows((n) => `ip:${attacker(100_000 + n * 997)}`)],
  ['flows ip: /20', flows((n) => `ip:11.${n % 3}.${n}.0/20`)],
  ['flows port:', flows((n) => `port:${n % 2 ? 443 : 31_337}`)],
  ['flows app: and bytes>', flows(() => 'app:dns bytes>100000')],
  ['flows bytes>, rare', flows(() => 'bytes>4000000000')],
  ['flows bytes>, none', flows(() => 'bytes>400000000000')],
  ['blocks', blocks(() => '')],
  ['blocks ip:', blocks((n) => `ip:${attacker(n * 501)}`)],
  ['blocks policy:', blocks((n) => `policy:policy-${n % 7}`)],
  ['blocks word', blocks((n) => `"rule ${n * 3} "`)],
  ['blocks word, none', blocks(() => 'nothing-has-this-word')],
  ['overview 1 h', (store) => store.statistics.overview(60, Date.now())],
  ['overview 24 h', (store) => store.statistics.overview(1440, Date.now())],
  ['overview 7 d', (store) => store.statistics.overview(10_080, Date.now())],
  ['counts of the status', (store) => store.alerts.counts(Date.now() - 3_600_000)],
];

const ALERT_COPY: Copying = {
  table: 'alerts',
  newest: 'alerts_time',
  times: ['first_ms', 'last_ms'],
  rest: [
    'alert_key', 'incident_id', 'sensor', 'title', 'label', 'category', 'tiers', 'severity', 'score', 'confidence', 'offender',
    'offender_key', 'peer_key', 'src_port', 'dst_port', 'proto', 'signature_id', 'state', 'response', 'label_verdict', 'text_id',
  ],
  along: { table: 'alert_bodies', columns: ['body', 'verdict'] },
}; // prettier-ignore
const FLOW_COPY: Copying = {
  table: 'flows',
  newest: 'flows_time',
  times: ['end_ms'],
  micros: ['start_us', 'end_us'],
  rest: [
    'sensor', 'flow_id', 'community_id', 'ip_version', 'proto', 'src_ip', 'src_key', 'src_port', 'dst_ip', 'dst_key', 'dst_port',
    'packets_fwd', 'packets_bwd', 'bytes_fwd', 'bytes_bwd', 'payload_fwd', 'payload_bwd', 'tcp_flags_fwd', 'tcp_flags_bwd',
    'tcp_state', 'end_reason', 'vlan', 'interface_id', 'icmp_type', 'icmp_code', 'app_proto',
  ],
}; // prettier-ignore
const ALERT_SPAN_MS = DAY_MS;
const FLOW_SPAN_MS = 2 * 3_600_000;
const ALERT_KINDS = ['label', 'severity', 'tier', 'tier_block', 'offender'];
const FLOW_KINDS = ['protocol', 'talker'];
const hours = (kinds: readonly string[]): string[] => kinds.map((kind) => `${kind}:h`);

async function fill(store: Store, rows: number, queue: (n: number) => void): Promise<void> {
  for (let n = 0; n < rows; n++) {
    queue(n);
    if (n % AT_ONCE === AT_ONCE - 1) await store.flush();
  }
  await store.flush();
}

/** The newest day of alerts and the newest hours of flows are made row by row, the rest are copies of them, further back. */
async function makeTables(store: Store, raw: RawSql, { progress }: BenchContext): Promise<void> {
  const [alertRows = 0, flowRows = 0, blockRows = 0] = store.kind === 'mysql' ? MARIADB_ROWS : ROWS;
  const nowMs = Date.now();
  const maker = createMaker(20_260_101);
  const [alertCopies, flowCopies] = [ALERT_DAYS - 1, (FLOW_DAYS * DAY_MS) / FLOW_SPAN_MS - 1];
  const [alertBase, flowBase] = [Math.ceil(alertRows / (alertCopies + 1)), Math.ceil(flowRows / (flowCopies + 1))];
  progress(`${store.kind}: making rows`);
  await fill(store, alertBase, (n) => {
    const atMs = nowMs - Math.floor((1 - n / alertBase) * (ALERT_SPAN_MS - 1000));
    store.alerts.queue({ alert: makeAlert(maker, atMs), response: maker.random() < 0.1 ? 'blocked' : 'none' });
  });
  await fill(store, flowBase, (n) => {
    const endMs = nowMs - Math.floor((1 - n / flowBase) * (FLOW_SPAN_MS - 1000));
    store.flows.queue('edge', makeFlow(maker, endMs));
  });
  await fill(store, blockRows, (n) => {
    store.decisions.queue({ decision: makeBlock(maker, n, nowMs) });
  });
  await store.statistics.overview(60, nowMs);
  await noteBase(raw, 'alerts', nowMs - ALERT_SPAN_MS);
  await noteBase(raw, 'flows', nowMs - FLOW_SPAN_MS);
  await noteBase(raw, 'rollups', nowMs - ALERT_SPAN_MS);
  progress(`${store.kind}: copying alerts`);
  await copyBack(raw, ALERT_COPY, ALERT_SPAN_MS, alertCopies);
  progress(`${store.kind}: copying flows`);
  await copyBack(raw, FLOW_COPY, FLOW_SPAN_MS, flowCopies);
  await copyRollups(raw, [...ALERT_KINDS, ...FLOW_KINDS], ALERT_SPAN_MS, 1);
  await copyRollups(raw, hours([...ALERT_KINDS, ...FLOW_KINDS]), ALERT_SPAN_MS, alertCopies);
}

const percentile = (sorted: readonly number[], p: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? 0;

async function measure(
  store: Store,
  { progress, signal }: BenchContext,
  serverCpuMs: () => number,
): Promise<BenchFigure[]> {
  const figures: BenchFigure[] = [];
  for (const [name, query] of QUERIES) {
    if (signal.aborted) break;
    if (!name.includes(ONLY)) continue;
    progress(`${store.kind}: ${name}`);
    const times: number[] = [];
    const cpu: number[] = [];
    const serverBeforeMs = serverCpuMs();
    let short = 0;
    for (let n = 0; n < RUNS; n++) {
      const before = process.cpuUsage();
      const startedMs = performance.now();
      const answer = await query(store, n);
      times.push(performance.now() - startedMs);
      const { user, system } = process.cpuUsage(before);
      cpu.push((user + system) / 1000);
      if ('items' in answer && answer.nextCursor !== null && answer.items.length < 50) short++;
    }
    times.sort((a, b) => a - b);
    const more = short === 0 ? '' : `, ${short} of ${RUNS} pages short with a cursor`;
    const [p50, p95, first] = [percentile(times, 0.5), percentile(times, 0.95), times.at(-1) ?? 0];
    // Beside a busy machine the CPU time is the steadier figure; of MariaDB only the mean can be read.
    const cpu95 = percentile(cpu.sort((a, b) => a - b), 0.95); // prettier-ignore
    const serverMs = (serverCpuMs() - serverBeforeMs) / RUNS;
    const server = store.kind === 'mysql' ? `, CPU of MariaDB ${serverMs.toFixed(1)} each` : '';
    const text = `p50 ${p50.toFixed(1)}, slowest ${first.toFixed(1)}, CPU p95 ${cpu95.toFixed(1)}${server}${more}`;
    figures.push({ name: `${store.kind} ${name}`, value: p95, unit: 'ms p95', text });
  }
  return figures;
}

async function run(
  context: BenchContext,
  options: Partial<StoreOptions>,
  openRaw: () => Promise<RawSql>,
  serverCpuMs: () => number = () => 0,
): Promise<BenchFigure[]> {
  const store = await openStore({ ...options, batchRows: 500, maxQueuedAlerts: 50_000 });
  try {
    if ((await store.flows.list({ limit: 1 })).items.length === 0) {
      const raw = await openRaw();
      await makeTables(store, raw, context).finally(() => raw.close());
    }
    return await measure(store, context, serverCpuMs);
  } finally {
    await store.close();
  }
}

async function measureStore(context: BenchContext, skip: (reason: string) => void): Promise<BenchFigure[]> {
  const dir = KEPT_DIR ?? context.dir;
  await mkdir(join(dir, 'mariadb'), { recursive: true });
  const path = join(dir, 'store.db');
  const figures: BenchFigure[] = [];
  if (ROWS[0] === 0) skip('SQLite: left out by PORTCULLIS_BENCH_STORE=0');
  else figures.push(...(await run(context, { kind: 'sqlite', path }, () => Promise.resolve(openRawSqlite(path)))));
  if (MARIADB_ROWS[0] === 0) {
    skip('MariaDB: left out by PORTCULLIS_BENCH_MARIADB=0');
    return figures;
  }
  const missing = mariaDbMissing();
  if (missing !== undefined) {
    skip(`MariaDB: ${missing}`);
    return figures;
  }
  const fresh = !existsSync(join(dir, 'mariadb', 'data'));
  const server = await openOwnMariaDb(join(dir, 'mariadb'), { bufferPoolMib: BUFFER_POOL_MIB, logMib: 256 });
  try {
    if (fresh) {
      const connection = await createConnection({ socketPath: server.socketPath, user: 'root' });
      await connection.query('CREATE DATABASE portcullis');
      await connection.end();
    }
    const mysql = { kind: 'mysql' as const, socketPath: server.socketPath, user: 'root', database: 'portcullis' };
    return [
      ...figures,
      ...(await run(context, mysql, () => openRawMysql(server.socketPath, 'portcullis'), server.cpuMs)),
    ];
  } finally {
    await server.stop('SIGTERM');
  }
}

/** Lists, searches and overview over large tables, on SQLite and on MariaDB. */
export const storeSection: BenchSection = {
  name: 'store',
  title: `Lists and searches with ${ROWS[0]} alerts, ${ROWS[1]} flows and ${ROWS[2]} blocks`,
  run: measureStore,
};
