import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Detection } from '../domain/detection.js';
import { severityRank } from '../domain/severity.js';
import type { Logger } from '../util/logger.js';
import { parseEve, parseMessage } from './formats/index.js';
import type { Parsed } from './finding.js';
import { mayBlock, type IngestOptions, type SourceOptions } from './options.js';
import { Rate } from './rate.js';
import type { Intake, Source } from './source.js';
import { openFileSource } from './sources/file.js';
import { openStreamSource } from './sources/stream.js';
import { openUdpSource } from './sources/udp.js';
import { parseSyslog } from './syslog.js';
import { toDetection } from './to-detection.js';

export interface IngestDeps {
  dataDir: string;
  /** Directory that relative paths of the configuration are relative to; the data directory by default. */
  configDir?: string;
  emit(detection: Detection): void;
  /** A source stopped working, or works again (empty problem). */
  onProblem?(source: string, problem: string): void;
  log: Logger;
  /** Epoch milliseconds. */
  now(): number;
}

const COUNTERS = ['lines', 'findings', 'ignored', 'malformed', 'below', 'stale', 'too_long', 'over_rate'] as const;
type Counts = Record<(typeof COUNTERS)[number], number>;

/** Other sensors and firewalls as further sources of detections. */
export interface Ingest {
  /** Counters by source: `<source>_lines`, `_findings`, `_malformed`, ... */
  stats(): Record<string, number>;
  /** What does not work, by source; empty when all is well. */
  problems(): { source: string; problem: string }[];
  close(): Promise<void>;
}

/** Opens every source. @throws AppError ingest.listen; then none is open. */
export async function openIngest(options: IngestOptions, deps: IngestDeps): Promise<Ingest> {
  const opened: { name: string; source: Source; counts: Counts }[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(opened.map(({ source }) => source.close()));
  };
  try {
    for (const source of options.sources.filter((s) => s.enabled)) {
      const counts = Object.fromEntries(COUNTERS.map((name) => [name, 0])) as Counts;
      const made = await openSource(source, createIntake(source, counts, deps), deps);
      opened.push({ name: source.name, source: made, counts });
      deps.log.info({ source: source.name, kind: source.kind }, 'ingest: source opened');
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    stats() {
      const all: Record<string, number> = {};
      for (const { name, source, counts } of opened) {
        const prefix = name.replaceAll(/[^a-z0-9]/g, '_');
        for (const counter of COUNTERS) all[`${prefix}_${counter}`] = counts[counter];
        all[`${prefix}_refused`] = source.refused();
      }
      return all;
    },
    problems: () =>
      opened
        .map(({ name, source }) => ({ source: name, problem: source.problem() }))
        .filter(({ problem }) => problem !== ''),
    close,
  };
}

function openSource(source: SourceOptions, intake: Intake, deps: IngestDeps): Source | Promise<Source> {
  const path = source.path === undefined ? undefined : resolve(deps.configDir ?? deps.dataDir, source.path);
  switch (source.kind) {
    case 'eve-file': {
      const statePath = join(deps.dataDir, 'ingest', `${source.name}.json`);
      return openFileSource({ path: path!, statePath, maxLineBytes: source.max_line_bytes }, intake);
    }
    case 'eve-socket':
      return openStreamSource(source, intake, path);
    case 'syslog-udp':
      return openUdpSource(source, intake);
    case 'syslog-tcp':
    case 'syslog-tls':
      return openStreamSource(source, intake, undefined);
  }
}

/** From a line to a detection, or to the counter that says why not. */
function createIntake(source: SourceOptions, counts: Counts, deps: IngestDeps): Intake {
  const rate = new Rate(source.per_second, source.burst);
  const isEve = source.kind.startsWith('eve-');
  const canWait = source.kind !== 'syslog-udp';
  const least = severityRank(source.min_severity);
  const trusted = mayBlock(source);
  return {
    line(text, sender) {
      counts.lines++;
      const parsed: Parsed = isEve ? parseEve(text) : parseMessage(parseSyslog(text));
      if (parsed.kind !== 'finding') {
        counts[parsed.kind]++;
        return;
      }
      const { finding } = parsed;
      const nowMs = deps.now();
      if (severityRank(finding.severity) < least) counts.below++;
      else if (finding.atMs !== undefined && finding.atMs < nowMs - source.max_age_secs * 1000) counts.stale++;
      else {
        if (canWait) rate.owe();
        counts.findings++;
        deps.emit(toDetection(finding, { source: source.name, mayBlock: trusted, sender }, nowMs));
      }
    },
    tooLong() {
      counts.too_long++;
    },
    async ready() {
      for (let ms = rate.waitMs(); ms > 0; ms = rate.waitMs()) await sleep(Math.min(ms, 1000));
    },
    mayTake() {
      if (rate.take()) return true;
      counts.over_rate++;
      return false;
    },
    report(problem) {
      deps.onProblem?.(source.name, problem);
      if (problem === '') deps.log.info({ source: source.name }, 'ingest: source works');
      else deps.log.warn({ source: source.name, problem }, 'ingest: source does not work');
    },
  };
}
