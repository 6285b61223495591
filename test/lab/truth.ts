import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** One thing that was done in a run: who, to whom, when, with what. */
export interface TruthStep {
  /** Epoch microseconds: before the tool started, after it ended. */
  startUs: number;
  endUs: number;
  /** Name of the behaviour, as detectors name it; `benign` for what must stay quiet. */
  label: string;
  malicious: boolean;
  /** MITRE ATT&CK technique, e.g. T1046; empty for benign steps. */
  technique: string;
  tool: string;
  command: string;
  /** Addresses that sent; empty when they were forged at random. */
  sources: string[];
  targets: string[];
}

/** What a run wrote beside its capture. */
export interface Truth {
  scenario: string;
  seed: number;
  speed: string;
  role: string;
  capture: string;
  device: string;
  packets: number;
  steps: TruthStep[];
}

const COLUMNS = ['startUs', 'endUs', 'label', 'malicious', 'technique', 'tool', 'sources', 'targets'] as const;

/** Writes truth.json, and the steps again as truth.csv (lists separated by spaces). */
export function writeTruth(dir: string, truth: Truth): void {
  writeFileSync(join(dir, 'truth.json'), `${JSON.stringify(truth, null, 2)}\n`);
  const rows = truth.steps.map((step) => COLUMNS.map((column) => cell(step[column])).join(','));
  writeFileSync(join(dir, 'truth.csv'), [COLUMNS.join(','), ...rows, ''].join('\n'));
}

function cell(value: string | number | boolean | string[]): string {
  return Array.isArray(value) ? value.join(' ') : String(value);
}
