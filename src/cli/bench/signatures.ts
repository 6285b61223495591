import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { shippedRules } from '../../daemons/signatures.js';
import { errorMessage } from '../../util/errors.js';
import { median, type BenchContext, type BenchFigure, type BenchSection } from './section.js';
import { writeMixedTraffic } from './signature-traffic.js';
import { runSuricata, suricataVersion } from './suricata-file.js';
import { startWorker } from './worker-process.js';

const PACKETS = 300_000;
const ROUNDS = 5;
/** Passes in one process, of which the last shows the cost once the code is compiled: V8 is done with it after the third. */
const PASSES = 4;

interface Round {
  loadCpuUs: number;
  loadMs: number;
  rules: number;
  firstNs: number;
  lastNs: number;
  peakBytes: number;
  alerts: number;
}

async function ownRound(rules: readonly string[], path: string): Promise<Round> {
  const worker = startWorker('signatures', { rules, path, passes: PASSES });
  try {
    const load = (await worker.next()) as { cpuUs: number; wallMs: number; rules: number };
    const passes: { cpuUs: number; packets: number; alerts: number; peakBytes: number }[] = [];
    for (let n = 0; n < PASSES; n++) passes.push((await worker.next()) as (typeof passes)[number]);
    const [first, last] = [passes[0]!, passes.at(-1)!];
    return {
      loadCpuUs: load.cpuUs,
      loadMs: load.wallMs,
      rules: load.rules,
      firstNs: (first.cpuUs * 1000) / first.packets,
      lastNs: (last.cpuUs * 1000) / last.packets,
      peakBytes: first.peakBytes,
      alerts: first.alerts,
    };
  } finally {
    worker.stop();
  }
}

/** CPU time a packet with Suricata's own rule language, beside Suricata on the same capture in turns. */
export const signatureSection: BenchSection = {
  name: 'signatures',
  title: 'Signatures on a capture of web, TLS, DNS and a scan',
  async run(context, skip) {
    const path = join(context.dir, 'mixed.pcap');
    const tiny = join(context.dir, 'tiny.pcap');
    context.progress('writing a capture');
    const bytes = writeMixedTraffic(path, PACKETS);
    writeMixedTraffic(tiny, 10);
    const rules = context.rules ?? shippedRules();
    const version = suricataVersion();
    if (version === undefined) skip('suricata is not installed: no comparison with it');
    const own: Round[] = [];
    const theirs: { ns: number; loadCpuUs: number; peakBytes: number; alerts: number }[] = [];
    for (let round = 0; round < ROUNDS && !context.signal.aborted; round++) {
      context.progress(`round ${round + 1} of ${ROUNDS}`);
      own.push(await ownRound(rules, path));
      if (version === undefined) continue;
      try {
        theirs.push(await suricataRound(context, rules, { path, tiny }));
      } catch (error) {
        skip(`suricata: ${errorMessage(error)}`);
        break;
      }
    }
    rmSync(path);
    return [...ownFigures(own, bytes), ...suricataFigures(theirs, own, version)];
  },
};

async function suricataRound(
  { dir }: BenchContext,
  rules: readonly string[],
  { path, tiny }: { path: string; tiny: string },
) {
  const at = (name: string): string => join(dir, `suricata-${name}`);
  rmSync(at('load'), { recursive: true, force: true });
  rmSync(at('run'), { recursive: true, force: true });
  const load = await runSuricata({ capture: tiny, rules, dir: at('load') });
  const run = await runSuricata({ capture: path, rules, dir: at('run') });
  return {
    ns: ((run.cpuUs - load.cpuUs) * 1000) / PACKETS,
    loadCpuUs: load.cpuUs,
    peakBytes: run.peakBytes,
    alerts: run.alerts,
  };
}

const MIB = 1_048_576;

function ownFigures(rounds: readonly Round[], bytes: number): BenchFigure[] {
  const of = (pick: (r: Round) => number): number => median(rounds.map(pick));
  const size = `${PACKETS} packets of ${Math.round(bytes / PACKETS)} bytes on average, ${rounds[0]?.rules} rules`;
  return [
    {
      name: 'signatures_cpu',
      value: of((r) => r.firstNs),
      unit: 'ns/packet',
      text: `file to alerts in a fresh process, loading apart, median of ${rounds.length}; ${size}`,
    },
    {
      name: 'signatures_cpu_warm',
      value: of((r) => r.lastNs),
      unit: 'ns/packet',
      text: 'the same capture again in the same process, as a sensor that runs for long',
    },
    { name: 'signatures_load', value: of((r) => r.loadMs), unit: 'ms', text: 'reading, compiling and grouping rules' },
    { name: 'signatures_load_cpu', value: of((r) => r.loadCpuUs) / 1000, unit: 'ms', text: 'CPU time of the same' },
    { name: 'signatures_memory', value: of((r) => r.peakBytes) / MIB, unit: 'MiB', text: 'most memory of the process' },
    { name: 'signatures_alerts', value: of((r) => r.alerts), unit: 'alerts', text: 'alerts raised' },
  ];
}

function suricataFigures(
  rounds: readonly { ns: number; loadCpuUs: number; peakBytes: number; alerts: number }[],
  own: readonly Round[],
  version: string | undefined,
): BenchFigure[] {
  if (rounds.length === 0) return [];
  const of = (pick: (r: (typeof rounds)[number]) => number): number => median(rounds.map(pick));
  const ns = of((r) => r.ns);
  return [
    {
      name: 'suricata_cpu',
      value: ns,
      unit: 'ns/packet',
      text: `${version}: suricata -r, runmode single, alerts as its only output; loading measured on ten packets and taken off`,
    },
    { name: 'suricata_load_cpu', value: of((r) => r.loadCpuUs) / 1000, unit: 'ms', text: 'CPU time to start and load' },
    { name: 'suricata_memory', value: of((r) => r.peakBytes) / MIB, unit: 'MiB', text: 'most memory of the process' },
    { name: 'suricata_alerts', value: of((r) => r.alerts), unit: 'alerts', text: 'alerts raised' },
    {
      name: 'signatures_ratio',
      value: median(own.map((r) => r.lastNs)) / ns,
      unit: '',
      text: 'signatures_cpu_warm to suricata_cpu',
    },
    {
      name: 'signatures_ratio_fresh',
      value: median(own.map((r) => r.firstNs)) / ns,
      unit: '',
      text: 'signatures_cpu to suricata_cpu: what `analyze` takes for one capture of this size',
    },
  ];
}
