/**
 * Runs the behaviour detectors over labelled captures and prints, per family, sources found of sources attacking and the
 * time to the first alert, and false alerts per 10,000 benign flows.
 *
 *   npx tsx scripts/measure-behaviour.ts FOLDER CAPTURES.csv [--verbose] [--json] [--set=portScan.ports=10]...
 *
 * CAPTURES.csv has the columns path, category, family, label_granularity, attackers; extra columns are ignored.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openFileSource } from '../src/capture/index.js';
import { createPipeline } from '../src/daemons/pipeline.js';
import type { Detection } from '../src/domain/detection.js';
import { behaviourOptionsSchema, createBehaviour } from '../src/detect/behaviour/index.js';
import { errorMessage } from '../src/util/errors.js';

/** What a family of attack should be reported as. */
const EXPECTED: readonly (readonly [RegExp, readonly string[]])[] = [
  [/horizontal|^host sweep/i, ['host_sweep', 'network_scan']],
  [/^scan \(IP protocol/i, []],
  [/^scan/i, ['port_scan', 'network_scan']],
  [/brute force/i, ['brute_force']],
  [/amplification/i, ['amplification', 'udp_flood']],
  [/SYN flood|TCP SYN, spoofed/i, ['syn_flood']],
  [/UDP flood/i, ['udp_flood']],
  [/ICMP flood/i, ['icmp_flood']],
  [/connection storm|slow HTTP/i, ['slow_http', 'http_flood']],
  [/ARP spoofing/i, ['arp_spoofing']],
  [/beacon/i, ['beacon']],
  [/DNS tunnel/i, ['dns_tunnel']],
  [/DNS exfiltration$/i, ['dns_tunnel']],
];

interface Capture {
  path: string;
  category: string;
  family: string;
  granularity: string;
  attackers: string[];
}

interface Outcome {
  capture: Capture;
  detections: Detection[];
  flows: number;
  packets: number;
  firstUs: Map<string, number>;
}

function parseCsv(text: string): Record<string, string>[] {
  const rows = text
    .split(/\r?\n/)
    .filter((line) => line !== '')
    .map(splitLine);
  const header = rows[0] ?? [];
  return rows.slice(1).map((cells) => Object.fromEntries(header.map((name, i) => [name, cells[i] ?? ''])));
}

/** Cells of a CSV line; quotes as in RFC 4180, without line breaks inside. */
function splitLine(line: string): string[] {
  const cells = line.match(/("([^"]|"")*"|[^,]*)(,|$)/g) ?? [];
  return cells.slice(0, -1).map((cell) => cell.replace(/,$/, '').replace(/^"|"$/g, '').replaceAll('""', '"'));
}

/** Addresses in a text such as `192.168.181.160-165`; prefixes and words are left out. */
function attackersOf(text: string): string[] {
  const out: string[] = [];
  for (const word of text.split(/[\s,;]+/)) {
    const range = /^(\d+\.\d+\.\d+\.)(\d+)-(\d+)$/.exec(word);
    if (range) for (let i = Number(range[2]); i <= Number(range[3]); i++) out.push(`${range[1]}${i}`);
    else if (/^\d+\.\d+\.\d+\.\d+$/.test(word)) out.push(word);
  }
  return out;
}

async function measure(capture: Capture, folder: string): Promise<Outcome> {
  const detections: Detection[] = [];
  const firstUs = new Map<string, number>();
  let flows = 0;
  const behaviour = createBehaviour(behaviourOptionsSchema.parse(overrides()), { emit: (d) => detections.push(d) });
  const wanted = new Set(capture.attackers);
  const pipeline = createPipeline(
    { flow: { maxFlows: 65_536 } },
    {
      observers: [
        behaviour,
        {
          onPacket(p, _flows, slot, _direction, isNew) {
            if (isNew) flows++;
            if (slot < 0 || wanted.size === 0) return;
            const src = `${p.src3 >>> 24}.${(p.src3 >>> 16) & 255}.${(p.src3 >>> 8) & 255}.${p.src3 & 255}`;
            if (wanted.has(src) && !firstUs.has(src)) firstUs.set(src, p.tsUs);
          },
          stats: () => ({}),
        },
      ],
    },
  );
  const source = await openFileSource(join(folder, capture.path));
  try {
    await source.run((block) => pipeline.push(block), new AbortController().signal);
  } catch (error) {
    if (process.argv.includes('--verbose')) console.error(`${capture.path}: ${errorMessage(error)}`);
  } finally {
    source.close();
  }
  pipeline.tick(pipeline.nowUs + 1e6);
  pipeline.flush();
  return { capture, detections, flows, packets: pipeline.packets, firstUs };
}

/** Options given as `--set=detector.option=number`. */
function overrides(): Record<string, Record<string, number>> {
  const out: Record<string, Record<string, number>> = {};
  for (const word of process.argv) {
    const m = /^--set=(\w+)\.(\w+)=([\d.]+)$/.exec(word);
    if (m) (out[m[1]!] ??= {})[m[2]!] = Number(m[3]);
  }
  return out;
}

function expectedOf(family: string): readonly string[] | undefined {
  return EXPECTED.find(([pattern]) => pattern.test(family))?.[1];
}

interface FamilyRow {
  family: string;
  attacking: number;
  found: number;
  secondsToAlert: number[];
  missed: string[];
}

function addAttack(rows: Map<string, FamilyRow>, o: Outcome): void {
  const labels = expectedOf(o.capture.family);
  if (labels === undefined || labels.length === 0) return;
  const row = rows.get(o.capture.family) ?? {
    family: o.capture.family,
    attacking: 0,
    found: 0,
    secondsToAlert: [],
    missed: [],
  };
  rows.set(o.capture.family, row);
  const right = o.detections.filter((d) => labels.some((l) => d.label === l || d.label.endsWith(`_${l}`)));
  const bySource = o.capture.granularity === 'host' && o.capture.attackers.length > 0;
  const sources = bySource ? o.capture.attackers.filter((a) => o.firstUs.has(a)) : [''];
  for (const source of sources) {
    row.attacking++;
    const hit = right.find((d) => source === '' || d.offender === source || d.srcIp === source || d.dstIp === source);
    if (!hit) {
      row.missed.push(`${o.capture.path} ${source}`);
      continue;
    }
    row.found++;
    const first = o.firstUs.get(source);
    if (first !== undefined) row.secondsToAlert.push((hit.detectedUs - first) / 1e6);
  }
}

function quantile(values: number[], q: number): string {
  if (values.length === 0) return '-';
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]!.toFixed(2);
}

const [folder, csv] = process.argv.slice(2).filter((word) => !word.startsWith('--'));
if (folder === undefined || csv === undefined || !existsSync(csv)) {
  console.error('usage: measure-behaviour.ts FOLDER CAPTURES.csv [--verbose] [--json]');
  process.exit(2);
}
const captures = parseCsv(readFileSync(csv, 'utf8')).map((row) => ({
  path: row['path'] ?? '',
  category: row['category'] ?? '',
  family: row['family'] ?? '',
  granularity: row['label_granularity'] ?? '',
  attackers: attackersOf(row['attackers'] ?? ''),
}));
const families = new Map<string, FamilyRow>();
const falseAlerts: string[] = [];
let benignFlows = 0;
let benignPackets = 0;
for (const capture of captures) {
  if (!['attack', 'mixed', 'benign'].includes(capture.category)) continue;
  if (!existsSync(join(folder, capture.path))) continue;
  const outcome = await measure(capture, folder);
  if (capture.category === 'benign') {
    benignFlows += outcome.flows;
    benignPackets += outcome.packets;
    const alerts = new Map(outcome.detections.map((d) => [`${d.label} ${d.offender}`, d]));
    for (const [key, d] of alerts) {
      falseAlerts.push(`${capture.path}: ${key} -> ${d.dstIp}:${d.dstPort} ${d.title}: ${d.evidence[0]?.text ?? ''}`);
    }
  } else addAttack(families, outcome);
}
const table = [...families.values()].sort((a, b) => a.family.localeCompare(b.family));
if (process.argv.includes('--json')) {
  console.log(JSON.stringify({ families: table, benignFlows, benignPackets, falseAlerts }, null, 2));
} else {
  console.log('| family | found / attacking | time to alert p50 | p95 |\n| --- | --: | --: | --: |');
  for (const row of table) {
    const times = row.secondsToAlert;
    console.log(
      `| ${row.family} | ${row.found} / ${row.attacking} | ${quantile(times, 0.5)} s | ${quantile(times, 0.95)} s |`,
    );
    if (process.argv.includes('--verbose')) for (const missed of row.missed) console.log(`    missed: ${missed}`);
  }
  const rate = (falseAlerts.length / Math.max(1, benignFlows)) * 10_000;
  console.log(`\nBenign: ${benignFlows} flows, ${benignPackets} packets, ${falseAlerts.length} false alerts`);
  console.log(`= ${rate.toFixed(2)} per 10,000 flows`);
  if (process.argv.includes('--verbose')) for (const line of falseAlerts) console.log(`    ${line}`);
}
