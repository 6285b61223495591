/**
 * Compares the set of (signature id, flow) with that of a Suricata binary on captures, each by itself.
 *
 *   npx tsx scripts/suricata-compare.ts --rules FILE [--rules FILE] [--suricata PATH] [--set KEY=VALUE] [--only REGEX]
 *     [--answers FILE] [--jobs N] [--per-sid] CAPTURES...
 *
 * Captures are files or folders of them. Suricata runs with its installed configuration, `--set`, `-k none` and any network
 * as HOME_NET and EXTERNAL_NET on both sides; N processes share the captures. `--answers` keeps what it said for the next run with the same
 * rules and captures, also when it is interrupted. Prints precision and recall and every difference, with the packet and the number of alerts.
 */
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { findingKey, NO_FLOW, replay, type Finding } from './lib/rule-replay.js';
import { runAlone, runSuricata, type Answers, type SuricataRun } from './lib/suricata-socket.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rules: { type: 'string', multiple: true, default: [] },
    suricata: { type: 'string', default: 'suricata' },
    set: { type: 'string', multiple: true, default: [] },
    only: { type: 'string', default: '' },
    answers: { type: 'string' },
    jobs: { type: 'string', default: '1' },
    'per-sid': { type: 'boolean', default: false },
  },
});
if (values.rules.length === 0 || positionals.length === 0) {
  process.stderr.write('usage: suricata-compare.ts --rules FILE... [--set KEY=VALUE] [--per-sid] CAPTURES...\n');
  process.exit(2);
}

function capturesIn(path: string): string[] {
  if (statSync(path).isFile()) return [path];
  return readdirSync(path, { withFileTypes: true })
    .flatMap((e) => (e.isDirectory() ? capturesIn(join(path, e.name)) : [join(path, e.name)]))
    .filter((file) => /\.(pcap|pcapng|cap)$/.test(file));
}

/** Addresses of a packet of which none could be read. */
const NOWHERE = ' 0.0.0.0 0 0.0.0.0 0';

const only = new RegExp(values.only, 'i');
const captures = positionals
  .flatMap(capturesIn)
  .filter((path) => only.test(path))
  .sort();
const rules = values.rules.map((file) => readFileSync(file, 'utf8')).join('\n');

const question = createHash('sha256')
  .update(JSON.stringify([rules, values.set, captures]))
  .digest('hex');
const most = values.set.find((s) => s.startsWith('packet-alert-max='))?.split('=')[1];

const work = mkdtempSync(join(tmpdir(), 'sc-'));
try {
  const theirs = kept() ?? (await ask());
  const read = captures.filter((path) => !theirs.unread.includes(path));
  const mine = await replay(values.rules, read, most === undefined ? {} : { maxAlertsPerPacket: Number(most) });
  keep(theirs);
  await askAgain(theirs, mine.findings);
  process.stdout.write(
    `${read.length} captures (${mine.unreadable} not read to their end; ${theirs.unread.length} more that Suricata does not read), ` +
      `${mine.packets} packets, ${mine.problems} rules not understood here\n`,
  );
  report(ofFlows(mine.findings, theirs.findings), ofFlows(theirs.findings, []));
} finally {
  rmSync(work, { recursive: true, force: true });
}
process.exit(0);

/** What Suricata has said of the same rules and captures. */
function kept(): Answers | undefined {
  if (values.answers === undefined || !existsSync(values.answers)) return undefined;
  const answers = JSON.parse(readFileSync(values.answers, 'utf8')) as Answers & { question: string };
  return answers.question === question ? answers : undefined;
}

function keep(theirs: Answers): void {
  if (values.answers !== undefined) writeFileSync(values.answers, JSON.stringify({ question, ...theirs }));
}

function runOf(name: string, some: readonly string[]): SuricataRun {
  const folder = join(work, name);
  mkdirSync(folder);
  const file = join(folder, 'all.rules');
  writeFileSync(file, rules);
  return { suricata: values.suricata, rules: file, captures: some, work: folder, settings: values.set };
}

async function ask(): Promise<Answers> {
  const jobs = Number(values.jobs);
  const shares = Array.from({ length: jobs }, (_, k) => captures.filter((_path, i) => i % jobs === k));
  const told = await Promise.all(shares.map((share, k) => runSuricata(runOf(String(k), share))));
  const all = <T>(of: (t: Answers) => readonly T[]): T[] => told.flatMap(of);
  return { findings: all((t) => t.findings), unread: all((t) => t.unread), alone: [] };
}

/** What it says of captures where the two differ counts only when it says so in a run of its own. */
async function askAgain(theirs: Answers, mine: readonly Finding[]): Promise<void> {
  const [ours, others] = [ofFlows(mine, theirs.findings), ofFlows(theirs.findings, [])];
  const [here, there] = [byKey(ours), byKey(others)];
  const differing = [
    ...ours.filter((f) => !there.has(findingKey(f))),
    ...others.filter((f) => !here.has(findingKey(f))),
  ];
  const again = new Set(differing.map((f) => f.capture));
  for (const capture of theirs.alone) again.delete(capture);
  const run = runOf('again', []);
  for (const capture of again) {
    const findings = await runAlone(run, capture);
    theirs.findings = [...theirs.findings.filter((f) => f.capture !== capture), ...findings];
    theirs.alone.push(capture);
    keep(theirs);
  }
}

/** What is wrong with a packet that one side reads no addresses of is no matter of flows: left out on both. */
function ofFlows(findings: readonly Finding[], others: readonly Finding[]): Finding[] {
  const place = (f: Finding): string => `${f.capture} ${f.sid} ${f.packet}`;
  const flowless = new Set(others.filter((f) => f.flow === NO_FLOW).map(place));
  return findings.filter((f) => f.flow !== NO_FLOW && !f.flow.includes(NOWHERE) && !flowless.has(place(f)));
}

function byKey(findings: readonly Finding[]): Map<string, Finding[]> {
  const map = new Map<string, Finding[]>();
  for (const f of findings) {
    const list = map.get(findingKey(f));
    if (list === undefined) map.set(findingKey(f), [f]);
    else list.push(f);
  }
  return map;
}

function report(ours: readonly Finding[], others: readonly Finding[]): void {
  const [here, there] = [byKey(ours), byKey(others)];
  const both = [...here.keys()].filter((key) => there.has(key));
  const share = (n: number, of: number): string => (of === 0 ? '-' : `${((100 * n) / of).toFixed(2)} %`);
  process.stdout.write(
    `(capture, sid, flow): ${here.size} here, ${there.size} there, ${both.length} in both\n` +
      `precision ${share(both.length, here.size)}, recall ${share(both.length, there.size)}\n`,
  );
  const extra = [...here].filter(([key]) => !there.has(key)).map(([, list]) => list);
  const missed = [...there].filter(([key]) => !here.has(key)).map(([, list]) => list);
  if (values['per-sid'])
    perSid(extra, missed, both.map((key) => here.get(key)![0]!)); // prettier-ignore
  else {
    list('only here ', extra);
    list('only there', missed);
  }
}

function list(sign: string, differences: readonly Finding[][]): void {
  for (const alerts of differences) {
    const { sid, flow, capture, packet } = alerts[0]!;
    process.stdout.write(`${sign} ${sid} [${flow}] packet ${packet}, ${alerts.length} alerts, ${capture}\n`);
  }
}

function perSid(extra: readonly Finding[][], missed: readonly Finding[][], both: readonly Finding[]): void {
  const counts = new Map<number, { both: number; here: number; there: number; example?: Finding }>();
  const of = (sid: number) => {
    const known = counts.get(sid) ?? { both: 0, here: 0, there: 0 };
    counts.set(sid, known);
    return known;
  };
  for (const f of both) of(f.sid).both++;
  for (const [f] of extra) {
    of(f!.sid).here++;
    of(f!.sid).example ??= f!;
  }
  for (const [f] of missed) {
    of(f!.sid).there++;
    of(f!.sid).example ??= f!;
  }
  for (const [sid, n] of [...counts].sort(([a], [b]) => a - b)) {
    const example =
      n.example === undefined ? '' : `  [${n.example.flow}] packet ${n.example.packet} ${n.example.capture}`;
    process.stdout.write(`sid ${sid}: both ${n.both}, only here ${n.here}, only there ${n.there}${example}\n`);
  }
}
