/**
 * Changes the rules of replay cases at random and compares what Suricata and Portcullis say of each case's capture: which rules
 * are refused, and every alert with its packet, addresses, ports and protocols. The same seed gives the same rules.
 *
 *   npx tsx scripts/suricata-variants.ts DIR [--seed N] [--count N] [--only REGEX] [--suricata PATH] [--loaded-only] [--inline] [--packets]
 *
 * DIR has folders with `input.pcap` and `test.rules`; what a case sets of Suricata's stream engine is set on both sides. `--loaded-only`
 * leaves out rules that one side refuses; `--inline` has both look at data as they come. Without that Suricata alerts with a later packet, when
 * data were acknowledged: alerts that differ in their packet only are counted, and printed with `--packets`. Prints each difference with its rule, and how many rules were compared.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { alertLine } from '../src/cli/analyze/eve.js';
import { createSignatures } from '../src/daemons/signatures.js';
import { signatureOptionsSchema } from '../src/detect/signature/index.js';
import { ruleLines } from '../src/detect/signature/parse/rule.js';
import { createRandom } from '../src/train/random.js';
import { pick } from './lib/random-rule.js';
import { variantOf } from './lib/rule-variant.js';
import { streamSettings, type StreamSettings } from './lib/suricata-settings.js';
import { runCapture } from './lib/run-capture.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '40' },
    only: { type: 'string', default: '' },
    suricata: { type: 'string', default: 'suricata' },
    'loaded-only': { type: 'boolean', default: false },
    inline: { type: 'boolean', default: false },
    packets: { type: 'boolean', default: false },
  },
});
const [dir] = positionals;
if (dir === undefined) {
  process.stderr.write('usage: suricata-variants.ts DIR [--seed N] [--count N] [--only REGEX]\n');
  process.exit(2);
}

/** Suricata takes no more as `packet-alert-max`. */
const MOST_ALERTS = 255;

interface Answer {
  /** Lines of refused rules. */
  refused: Set<number>;
  /** Alerts by sid, each as a text, sorted. */
  alerts: Map<number, string[]>;
}

interface EveAlert {
  event_type: string;
  pcap_cnt?: number;
  proto?: string;
  app_proto?: string;
  src_ip?: string;
  src_port?: number;
  dest_ip?: string;
  dest_port?: number;
  alert: { signature_id: number };
}

function collect(lines: Iterable<EveAlert>): Map<number, string[]> {
  const alerts = new Map<number, string[]>();
  for (const e of lines) {
    const sid = e.alert.signature_id;
    const text = `packet ${e.pcap_cnt ?? '-'} ${e.proto} ${e.src_ip}:${e.src_port ?? '-'} > ${e.dest_ip}:${e.dest_port ?? '-'} ${e.app_proto ?? ''}`;
    alerts.set(sid, [...(alerts.get(sid) ?? []), text]);
  }
  for (const list of alerts.values()) list.sort();
  return alerts;
}

function askSuricata(rules: string, capture: string, args: readonly string[], work: string): Answer {
  const run = spawnSync(values.suricata, ['-r', capture, '-S', rules, '-l', work, '-k', 'none', ...SETTINGS, ...args], {
    encoding: 'utf8',
    timeout: 120_000,
  });
  const told = `${run.stdout}${run.stderr}`;
  const refused = new Set(
    [...told.matchAll(/error parsing signature [\s\S]*? at line (\d+)/g)].map((m) => Number(m[1])),
  );
  const eve = join(work, 'eve.json');
  if (!existsSync(eve)) throw new Error(told);
  const lines = readFileSync(eve, 'utf8')
    .split('\n')
    .filter((line) => line.includes('"event_type":"alert"'))
    .map((line) => JSON.parse(line) as EveAlert);
  return { refused, alerts: collect(lines) };
}

const SETTINGS = [
  'vars.address-groups.HOME_NET=any',
  'vars.address-groups.EXTERNAL_NET=any',
  'runmode=single',
  'stream.checksum-validation=no',
  `packet-alert-max=${MOST_ALERTS}`,
].flatMap((s) => ['--set', s]);

/** What the case sets, or `--inline` for all. */
function settingsOf(folder: string, args: string): StreamSettings {
  const settings = streamSettings(folder, args);
  return values.inline ? { ...settings, inline: true } : settings;
}

async function askOurs(rules: string, capture: string, folder: string, args: string): Promise<Answer> {
  const lines: EveAlert[] = [];
  const asked = settingsOf(folder, args);
  const addresses = { HOME_NET: 'any', EXTERNAL_NET: 'any' };
  const options = signatureOptionsSchema.parse({ rules: [rules], addresses, maxAlertsPerPacket: MOST_ALERTS });
  const signatures = createSignatures(
    {
      ...options,
      ...asked,
      maxAlertsPerPacket: MOST_ALERTS,
      stream: { ...asked.stream, inspect: 'arrival' },
    },
    {
      emit: (d) => lines.push(JSON.parse(alertLine(d, { packetCount: true })) as EveAlert),
      sensor: 'replay',
    },
  );
  await runCapture(signatures.observer, capture);
  return { refused: new Set(signatures.problems.map((p) => p.line)), alerts: collect(lines) };
}

const only = new RegExp(values.only);
const totals = { rules: 0, refused: 0, acceptance: 0, fired: 0, alerts: 0, packets: 0 };
for (const name of readdirSync(dir).sort()) {
  const folder = join(dir, name);
  if (!existsSync(join(folder, 'test.rules')) || !only.test(name)) continue;
  const { next: random } = createRandom(Number(values.seed) * 1000 + totals.rules);
  const own = [...ruleLines(readFileSync(join(folder, 'test.rules'), 'utf8'))].map(({ text }) => text);
  const rules: string[] = [];
  const known = new Set<string>();
  const add = (rule: string | undefined): void => {
    const body = rule?.replace(/sid:\d+;\)$/, '');
    if (rule === undefined || known.has(body!)) return;
    known.add(body!);
    rules.push(rule);
  };
  for (const rule of own) add(variantOf(random, rule, rules.length + 1, 0));
  for (let i = 0; i < Number(values.count); i++) add(variantOf(random, pick(random, own), rules.length + 1));
  const work = mkdtempSync(join(tmpdir(), 'sv-'));
  try {
    await compare(name, folder, rules, work);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
process.stdout.write(`${JSON.stringify(totals)}\n`);

async function compare(name: string, folder: string, rules: readonly string[], work: string): Promise<void> {
  const file = join(work, 'test.rules');
  writeFileSync(file, `${rules.join('\n')}\n`);
  const capture = join(folder, 'input.pcap');
  const expectation = join(folder, 'expect.json');
  const asked = existsSync(expectation)
    ? ((JSON.parse(readFileSync(expectation, 'utf8')) as { suricata_args?: string }).suricata_args ?? '')
    : '';
  const args = [...asked.matchAll(/--set[= ](\S+)/g)].flatMap((m) => ['--set', m[1]!]);
  const yaml = settingsOf(folder, asked);
  for (const [key, on] of [
    ['inline', yaml.inline],
    ['midstream', yaml.stream.midstream],
    ['async-oneside', yaml.stream.asyncOneside],
  ] as const)
    // prettier-ignore
    if (on === true) args.push('--set', `stream.${key}=true`);
  if (yaml.stream.midstreamPolicy !== undefined) args.push('--set', `stream.midstream-policy=${yaml.stream.midstreamPolicy.replace('_', '-')}`); // prettier-ignore
  const theirs = askSuricata(file, capture, args, work);
  const ours = await askOurs(file, capture, folder, asked);
  for (const [i, rule] of rules.entries()) {
    const sid = i + 1;
    totals.rules++;
    const [here, there] = [ours.refused.has(sid), theirs.refused.has(sid)];
    if (here !== there) {
      totals.acceptance++;
      if (!values['loaded-only']) process.stdout.write(`${name} refused ${here ? 'here' : 'there'}: ${rule}\n`);
    }
    if (here || there) {
      totals.refused++;
      continue;
    }
    const [mine, other] = [ours.alerts.get(sid) ?? [], theirs.alerts.get(sid) ?? []];
    if (mine.length + other.length > 0) totals.fired++;
    if (mine.join('\n') === other.join('\n')) continue;
    if (withoutPackets(mine) === withoutPackets(other)) {
      totals.packets++;
      if (!values.packets) continue;
    } else totals.alerts++;
    process.stdout.write(`${name} ${rule}\n    here  ${without(mine, other)}\n    there ${without(other, mine)}\n`);
  }
}

function withoutPackets(list: readonly string[]): string {
  return list
    .map((text) => text.replace(/^packet \S+ /, ''))
    .sort()
    .join('\n');
}

/** What the other does not say as often. */
function without(list: readonly string[], other: readonly string[]): string {
  const rest = [...other];
  const more = list.filter((text) => {
    const at = rest.indexOf(text);
    if (at >= 0) rest.splice(at, 1);
    return at < 0;
  });
  return `${list.length}: ${more.slice(0, 4).join(' | ')}${more.length > 4 ? ` and ${more.length - 4} more` : ''}`;
}
