import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { alertLine } from '../src/cli/analyze/eve.js';
import { createSignatures } from '../src/daemons/signatures.js';
import { signatureOptionsSchema } from '../src/detect/signature/index.js';
import { streamSettings } from './lib/suricata-settings.js';
import { runCapture } from './lib/run-capture.js';

/**
 * Runs replay cases in the form of Suricata's verification suite and counts those whose checks hold.
 *
 *   npx tsx scripts/suricata-verify.ts DIR [--only TEXT] [--verbose] [--defaults] [--acked]
 *
 * A case is a folder with `input.pcap`, `test.rules` and `expect.json` (`checks`: how many EVE lines match which fields). What it
 * sets of Suricata's stream engine, by `suricata_args` or `suricata.yaml`, is set here, too; `--defaults` leaves that out.
 */
interface Check {
  count: number;
  match: Record<string, unknown>;
}
interface Expectation {
  tier: number;
  /** Of the command line of Suricata. */
  suricata_args?: string;
  checks: Check[];
}

const [dir, ...flags] = process.argv.slice(2);
if (dir === undefined) {
  process.stderr.write('usage: suricata-verify.ts DIR [--only TEXT] [--verbose]\n');
  process.exit(2);
}
const only = flags.includes('--only') ? flags[flags.indexOf('--only') + 1] : undefined;
const verbose = flags.includes('--verbose');

type EveLine = Record<string, unknown>;

/** The EVE lines that a case gives, as `portcullis analyze --models none --behaviour off --policies none --pcap-cnt`. */
async function runCase(folder: string, args: string): Promise<EveLine[]> {
  const lines: EveLine[] = [];
  const options = signatureOptionsSchema.parse({ rules: [join(folder, 'test.rules')] });
  const asked = flags.includes('--defaults') ? { inline: false, stream: {} } : streamSettings(folder, args);
  const inspect = flags.includes('--acked') && !asked.inline ? 'acked' : 'arrival';
  const signatures = createSignatures(
    { ...options, ...asked, stream: { ...asked.stream, inspect } },
    {
      emit: (detection) => lines.push(JSON.parse(alertLine(detection, { packetCount: true })) as EveLine),
      sensor: 'replay',
    },
  );
  if (verbose) for (const p of signatures.problems) process.stdout.write(`    ${p.line}:${p.column} ${p.reason}\n`);
  await runCapture(signatures.observer, join(folder, 'input.pcap'));
  return lines;
}

function valueAt(line: EveLine, path: string): unknown {
  return path.split('.').reduce<unknown>((value, key) => (value as EveLine | undefined)?.[key], line);
}

function holds(check: Check, lines: readonly EveLine[]): boolean {
  const hits = lines.filter((line) =>
    Object.entries(check.match).every(([path, want]) => valueAt(line, path) === want),
  );
  return hits.length === check.count;
}

const totals = new Map<number, { cases: number; passed: number; checks: number; held: number }>();
const failed: string[] = [];
for (const name of readdirSync(dir).sort()) {
  const folder = join(dir, name);
  const expectFile = join(folder, 'expect.json');
  if (!existsSync(expectFile) || (only !== undefined && !name.includes(only))) continue;
  const expectation = JSON.parse(readFileSync(expectFile, 'utf8')) as Expectation;
  let lines: EveLine[] = [];
  let problem = '';
  try {
    lines = await runCase(folder, expectation.suricata_args ?? '');
  } catch (error) {
    problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
  const missed = expectation.checks.filter((check) => !holds(check, lines));
  const total = totals.get(expectation.tier) ?? { cases: 0, passed: 0, checks: 0, held: 0 };
  total.cases++;
  total.checks += expectation.checks.length;
  total.held += expectation.checks.length - missed.length;
  if (missed.length === 0 && problem === '') total.passed++;
  else failed.push(`  tier ${expectation.tier}  ${name}${problem === '' ? '' : `: ${problem}`}`);
  totals.set(expectation.tier, total);
  if (verbose && missed.length > 0) {
    process.stdout.write(`${name}\n${missed.map((c) => `    wanted ${JSON.stringify(c)}\n`).join('')}`);
    const seen = lines.map((l) => `${String(valueAt(l, 'alert.signature_id'))}@${String(l['pcap_cnt'])}`);
    process.stdout.write(`    got ${seen.slice(0, 40).join(' ')}\n`);
  }
}
let cases = 0;
let passed = 0;
let checks = 0;
let held = 0;
for (const [tier, t] of [...totals].sort((a, b) => a[0] - b[0])) {
  process.stdout.write(`tier ${tier}: ${t.passed} of ${t.cases} cases, ${t.held} of ${t.checks} checks\n`);
  cases += t.cases;
  passed += t.passed;
  checks += t.checks;
  held += t.held;
}
process.stdout.write(`all:    ${passed} of ${cases} cases, ${held} of ${checks} checks\n`);
if (failed.length > 0) process.stdout.write(`failed:\n${failed.join('\n')}\n`);
