import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BehaviourOptions } from '../../src/detect/behaviour/index.js';
import { actionsOf } from './blocks.js';
import { replay, type Replayed } from './replay.js';

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

interface Outcome extends Replayed {
  capture: Capture;
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

function expectedOf(family: string): readonly string[] | undefined {
  return EXPECTED.find(([pattern]) => pattern.test(family))?.[1];
}

export interface FamilyRow {
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
  const sources = bySource ? o.capture.attackers.filter((a) => (o.sentUs.get(a)?.length ?? 0) > 0) : [''];
  for (const source of sources) {
    row.attacking++;
    const hit = right.find((d) => source === '' || d.offender === source || d.srcIp === source || d.dstIp === source);
    if (!hit) {
      row.missed.push(`${o.capture.path} ${source}`);
      continue;
    }
    row.found++;
    const first = o.sentUs.get(source)?.[0];
    if (first !== undefined) row.secondsToAlert.push((hit.detectedUs - first) / 1e6);
  }
}

export interface CaptureFigures {
  families: FamilyRow[];
  benignFlows: number;
  benignPackets: number;
  /** One line a distinct label and offender of a benign capture. */
  falseAlerts: string[];
  /** One line an offender of a benign capture that the shipped policies block or slow down. */
  actions: string[];
  problems: string[];
}

/** Replays every capture of a list with columns path, category, family, label_granularity, attackers. */
export async function measureCaptures(folder: string, csv: string, options: BehaviourOptions): Promise<CaptureFigures> {
  const families = new Map<string, FamilyRow>();
  const out: CaptureFigures = {
    families: [],
    benignFlows: 0,
    benignPackets: 0,
    falseAlerts: [],
    actions: [],
    problems: [],
  };
  for (const row of parseCsv(readFileSync(csv, 'utf8'))) {
    const capture: Capture = {
      path: row['path'] ?? '',
      category: row['category'] ?? '',
      family: row['family'] ?? '',
      granularity: row['label_granularity'] ?? '',
      attackers: attackersOf(row['attackers'] ?? ''),
    };
    const file = join(folder, capture.path);
    if (!['attack', 'mixed', 'benign'].includes(capture.category) || !existsSync(file)) continue;
    const seen = await replay(file, capture.attackers, options);
    if (seen.problem !== undefined) out.problems.push(`${capture.path}: ${seen.problem}`);
    if (capture.category !== 'benign') {
      addAttack(families, { ...seen, capture });
      continue;
    }
    for (const [who, action] of await actionsOf(seen.detections, options.homeNetworks))
      out.actions.push(`${capture.path}: ${action} ${who}`);
    out.benignFlows += seen.flows;
    out.benignPackets += seen.packets;
    const alerts = new Map(seen.detections.map((d) => [`${d.label} ${d.offender}`, d]));
    for (const [key, d] of alerts) {
      const text = d.evidence[0]?.text ?? '';
      out.falseAlerts.push(`${capture.path}: ${key} -> ${d.dstIp}:${d.dstPort} ${d.title}: ${text}`);
    }
  }
  out.families = [...families.values()].sort((x, y) => x.family.localeCompare(y.family));
  return out;
}
