/**
 * Compares the set of (signature id, flow) with that of a Suricata binary on a folder of captures.
 *
 *   npx tsx scripts/suricata-compare.ts --rules FILE [--rules FILE] [--suricata PATH] [--only REGEX] [--per-sid] CAPTURES...
 *
 * Captures are files or folders of them. Suricata runs with its installed configuration, `-k none` and HOME_NET of any
 * network on both sides. Prints precision and recall and every difference. Flows that the file reader of either cannot open
 * are left out on both sides.
 */
import { spawnSync } from 'node:child_process';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  copyFileSync,
  utimesSync,
  writeFileSync,
  mkdirSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { findingKey, flowKey, replay, type Finding } from './lib/rule-replay.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rules: { type: 'string', multiple: true },
    suricata: { type: 'string', default: 'suricata' },
    only: { type: 'string' },
    'per-sid': { type: 'boolean', default: false },
  },
});
const rules = values.rules ?? [];
if (rules.length === 0 || positionals.length === 0) {
  process.stderr.write(
    'usage: suricata-compare.ts --rules FILE [--suricata PATH] [--only REGEX] [--per-sid] CAPTURES...\n',
  );
  process.exit(2);
}
const only = new RegExp(values.only ?? '', 'i');

function capturesIn(path: string): string[] {
  if (statSync(path).isFile()) return [path];
  return readdirSync(path, { withFileTypes: true })
    .flatMap((e) => (e.isDirectory() ? capturesIn(join(path, e.name)) : [join(path, e.name)]))
    .filter((file) => /\.(pcap|pcapng|cap)$/.test(file));
}

interface EveAlert {
  event_type: string;
  proto: string;
  src_ip?: string;
  src_port?: number;
  dest_ip?: string;
  dest_port?: number;
  alert?: { signature_id: number };
}

/** Suricata's findings over a folder of captures. */
function runSuricata(folder: string, work: string): Finding[] {
  const all = join(work, 'all.rules');
  writeFileSync(all, rules.map((file) => readFileSync(file, 'utf8')).join('\n'));
  const log = join(work, 'log');
  mkdirSync(log);
  const any = ['HOME_NET', 'EXTERNAL_NET'].flatMap((n) => ['--set', `vars.address-groups.${n}=any`]);
  const args = ['-k', 'none', '-S', all, '-r', folder, '-l', log, '--runmode', 'single', ...any];
  const run = spawnSync(values.suricata, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (run.status !== 0) throw new Error(`${values.suricata}: ${run.stderr.slice(-2000)}`);
  return (
    readFileSync(join(log, 'eve.json'), 'utf8')
      .split('\n')
      .filter((line) => line.includes('"event_type":"alert"'))
      .map((line) => JSON.parse(line) as EveAlert)
      // What is wrong with a packet that has no addresses has no flow either.
      .filter((e) => e.src_ip !== undefined)
      .map((e) => ({
        sid: e.alert!.signature_id,
        capture: '',
        flow: flowKey(e.proto, [e.src_ip ?? '', e.src_port ?? 0], [e.dest_ip ?? '', e.dest_port ?? 0]),
      }))
  );
}

const work = mkdtempSync(join(tmpdir(), 'suricata-compare-'));
try {
  const folder = join(work, 'captures');
  mkdirSync(folder);
  const sources = new Map<string, string>();
  for (const [i, path] of positionals
    .flatMap(capturesIn)
    .filter((p) => only.test(p))
    .entries()) {
    const name = `${String(i).padStart(5, '0')}-${basename(path)}`;
    const copied = join(folder, name);
    copyFileSync(path, copied);
    // Suricata reads a folder in the order of its files' times, which counts for thresholds.
    utimesSync(copied, 1_000_000 + i, 1_000_000 + i);
    sources.set(name, path);
  }
  const names = [...sources.keys()].sort();
  const theirs = runSuricata(folder, work);
  const files = names.map((name) => join(folder, name));
  const mine = await replay(rules, files);
  const ours = mine.findings.map((f) => ({ ...f, capture: basename(f.capture) }));
  report(ours, theirs, names.length, mine);
} finally {
  rmSync(work, { recursive: true, force: true });
}

function report(
  ours: Finding[],
  theirs: Finding[],
  captures: number,
  run: { packets: number; unreadable: number; problems: number },
): void {
  const mine = new Map(ours.map((f) => [findingKey(f), f]));
  const other = new Map(theirs.map((f) => [findingKey(f), f]));
  const both = [...mine.keys()].filter((key) => other.has(key));
  const share = (n: number, of: number): string => (of === 0 ? '-' : `${((100 * n) / of).toFixed(2)} %`);
  process.stdout.write(
    `${captures} captures (${run.unreadable} not read to their end), ${run.packets} packets, ${run.problems} rules not understood here\n` +
      `(sid, flow): ${mine.size} here, ${other.size} there, ${both.length} in both\n` +
      `precision ${share(both.length, mine.size)}, recall ${share(both.length, other.size)}\n`,
  );
  const extra = [...mine].filter(([key]) => !other.has(key)).map(([, f]) => f);
  const missed = [...other].filter(([key]) => !mine.has(key)).map(([, f]) => f);
  if (values['per-sid'])
    perSid(extra, missed, both.map((key) => mine.get(key)!)); // prettier-ignore
  else
    for (const [sign, list] of [
      ['only here ', extra],
      ['only there', missed],
    ] as const)
      // prettier-ignore
      for (const f of list) process.stdout.write(`${sign} ${f.sid} ${f.flow} ${f.capture}\n`);
}

function perSid(extra: readonly Finding[], missed: readonly Finding[], both: readonly Finding[]): void {
  const sids = [...new Set([...extra, ...missed, ...both].map((f) => f.sid))].sort((a, b) => a - b);
  const of = (list: readonly Finding[], sid: number): Finding[] => list.filter((f) => f.sid === sid);
  for (const sid of sids) {
    const [more, less] = [of(extra, sid), of(missed, sid)];
    const example = [...more, ...less].slice(0, 1).map((f) => `  ${f.flow} ${f.capture}`)[0] ?? '';
    process.stdout.write(
      `sid ${sid}: both ${of(both, sid).length}, only here ${more.length}, only there ${less.length}${example}\n`,
    );
  }
}
