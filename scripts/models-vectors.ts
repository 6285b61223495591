import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FlowRecord } from '../src/domain/flow.js';
import { createFlowFeatures, flowFeatureOptionsSchema, parseTruth } from '../src/features/index.js';
import { createRandom, hashText } from '../src/train/random.js';
import { splitCsv } from '../src/train/table/lines.js';
import { replayLabelled, type LabelledCapture } from './models-replay.js';

export interface Vectors {
  label: string;
  /** Early and end vector of each flow of the sample. */
  rows: Float32Array[][];
  /** Flows seen, of which `rows` are a sample. */
  flows: number;
}

/** Runs of `npm run lab`: folders with capture.pcap and truth.csv. */
export function labCaptures(root: string): LabelledCapture[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('truth.csv'))
    .sort()
    .map((name) => {
      const dir = join(root, name, '..');
      const truth = parseTruth(readFileSync(join(root, name), 'utf8'));
      return {
        path: join(dir, 'capture.pcap'),
        origin: `lab/${name.split('/')[0]}`,
        labelOf: (flow: FlowRecord) => truth.ofFlow(flow),
      };
    })
    .filter(({ path }) => existsSync(path));
}

/**
 * Captures of others, from an index with the columns path, category, family, label_granularity and attackers: `host`
 * makes flows with an attacker attacks, `capture` all of them.
 */
export function indexedCaptures(
  root: string,
  index: string,
): (LabelledCapture & { category: string; family: string })[] {
  const [header, ...lines] = readFileSync(index, 'utf8')
    .split(/\r?\n/)
    .filter((l) => l !== '')
    .map(splitCsv);
  return lines.flatMap((cells) => {
    const get = (name: string): string => cells[header!.indexOf(name)] ?? '';
    const category = get('category');
    const granularity = get('label_granularity');
    if (category !== 'benign' && (category !== 'attack' || granularity === 'packet')) return [];
    const attackers = new Set(expandRange(get('attackers')));
    const isAttack = (flow: FlowRecord): boolean =>
      granularity === 'capture' || attackers.has(flow.srcIp) || attackers.has(flow.dstIp);
    const family = get('family');
    const labelOf = (flow: FlowRecord): string => (category === 'attack' && isAttack(flow) ? family : 'benign');
    return [{ path: join(root, get('path')), origin: get('path').split('/')[0]!, category, family, labelOf }];
  });
}

/** `10.0.0.160-165` is six addresses; lists are separated by blanks, `;` or `|`. */
function expandRange(text: string): string[] {
  return text.split(/[\s;|]+/).flatMap((word) => {
    const m = /^(.*\.)(\d+)-(\d+)$/.exec(word);
    if (!m) return word === '' ? [] : [word];
    const from = Number(m[2]);
    return Array.from({ length: Number(m[3]) - from + 1 }, (_, i) => `${m[1]}${from + i}`);
  });
}

/** Early and end vectors of a capture's flows by label, at most so many flows of each, chosen evenly. */
export async function extractVectors(
  capture: LabelledCapture,
  limits: number | { attack: number; benign: number },
): Promise<Vectors[]> {
  const limitOf = (label: string): number =>
    typeof limits === 'number' ? limits : label === 'benign' ? limits.benign : limits.attack;
  // By the last two parts of the path: the sample must not depend on where the captures lie.
  const random = createRandom(hashText(capture.path.split('/').slice(-2).join('/')));
  const byLabel = new Map<string, { kept: Float32Array[][]; flows: number }>();
  const waiting = new Map<number, Float32Array[]>();
  const features = createFlowFeatures(flowFeatureOptionsSchema.parse({}), {
    emit(vector, _packet, flows, slot) {
      const id = flows.flowId[slot]!;
      waiting.set(id, [...(waiting.get(id) ?? []), vector.values.slice()]);
    },
  });
  await replayLabelled(capture, {
    observer: features,
    onFlow(label, flows, slot) {
      const id = flows.flowId[slot]!;
      const rows = waiting.get(id);
      waiting.delete(id);
      if (label === undefined || !rows) return;
      const entry = byLabel.get(label) ?? { kept: [], flows: 0 };
      byLabel.set(label, entry);
      entry.flows++;
      const limit = limitOf(label);
      const at = entry.kept.length < limit ? entry.kept.length : random.below(entry.flows);
      if (at < limit) entry.kept[at] = rows;
    },
  });
  return [...byLabel].map(([label, { kept, flows }]) => ({ label, rows: kept, flows }));
}
