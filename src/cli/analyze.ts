import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { hostname } from 'node:os';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { Option, type Command } from 'commander';
import { openFileSource } from '../capture/index.js';
import { loadConfig, type LoadedConfig } from '../config/index.js';
import { createCorrelator } from '../correlate/index.js';
import { createDetectors, type Detectors } from '../daemons/detectors.js';
import { createOfflineEngine } from '../daemons/offline-run.js';
import { createPipeline } from '../daemons/pipeline.js';
import type { Detection } from '../domain/detection.js';
import { toFlowRecord } from '../flow/index.js';
import { alertToSiemEvent, decisionToSiemEvent, FORMATTERS, type FormatContext } from '../forward/index.js';
import { loadPolicyFolder, policyError, type PolicyEngine } from '../policy/index.js';
import { compileLater, compileSooner } from '../util/compile-sooner.js';
import { AppError, errorMessage } from '../util/errors.js';
import { silentLogger } from '../util/logger.js';
import { uuid7 } from '../util/uuid7.js';
import { VERSION } from '../util/version.js';
import { CSV_HEADER, csvLine } from './analyze/csv.js';
import { alertLine, decisionLine, flowLine, packetLine, statsLine } from './analyze/eve.js';
import { onReaderLeft } from './output-reader.js';
import { showProgress } from './progress.js';

type OutputFormat = 'eve' | 'ecs' | 'cef' | 'leef' | 'ocsf' | 'csv';

interface AnalyzeOptions {
  config?: string;
  set?: string[];
  rules?: string[];
  models?: string;
  behaviour: 'on' | 'off';
  policies?: string;
  intel?: string;
  format: OutputFormat;
  flows?: boolean;
  out: string;
  pcapCnt?: boolean;
}

/** `portcullis analyze PCAP...`: the live detectors and policies on captures, without privilege. */
export function register(program: Command): void {
  program
    .command('analyze')
    .description('run detectors and policies on captures; no privilege needed, nothing is blocked')
    .argument('<pcap...>', 'pcap or pcapng files')
    .option('--config <file>', 'configuration file')
    .option(
      '--set <name=value>',
      'a setting for this run, such as detect.signature.stream.midstream=true; may be given more than once',
      (value: string, all: string[] = []) => [...all, value],
    )
    .option(
      '--rules <file>',
      'rule file, may be given more than once, or none; the shipped and configured rules unless given',
      (value: string, all: string[] = []) => [...all, value],
    )
    .option('--models <dir>', 'model bundle, folder of bundles, or none; the shipped models unless given')
    .addOption(new Option('--behaviour <on|off>', 'behaviour detectors').choices(['on', 'off']).default('on'))
    .option('--policies <dir>', 'policy folder or none; the shipped policies unless given')
    .option('--intel <folder>', 'folder of indicators in use (data_dir/intel); none unless given')
    .addOption(
      new Option('--format <name>', 'output format')
        .choices(['eve', 'ecs', 'cef', 'leef', 'ocsf', 'csv'])
        .default('eve'),
    )
    .option('--flows', 'also write ended flows (eve only)')
    .option('--out <file>', 'output file, - for standard output', '-')
    .option('--pcap-cnt', 'add the number of the deciding packet (eve only)')
    .action(analyze);
}

async function analyze(pcaps: string[], options: AnalyzeOptions): Promise<void> {
  const config = await loadConfig(options.config, options.set);
  const policies = await openPolicies(config, options);
  if (options.out !== '-') await refuseIfNoneOpens(pcaps);
  const out = openOutput(options.out);
  const progress = showProgress('packets');
  const stop = new AbortController();
  onReaderLeft(() => stop.abort());
  const write = (line: string): void => {
    if (!stop.signal.aborted) out.stream.write(`${line}\n`);
  };
  if (options.format === 'csv') write(CSV_HEADER);
  let failure: unknown;
  for (const pcap of pcaps) {
    if (stop.signal.aborted) break;
    const run = await openRun(config, options, { write, policies });
    try {
      const source = await openFileSource(pcap);
      await source.run((block) => {
        run.pipeline.push(block);
        progress.set(run.pipeline.packets);
      }, stop.signal);
    } catch (error) {
      // What was read before the damage still counts; the message follows the results.
      failure ??=
        error instanceof AppError
          ? error
          : new AppError({
              kind: 'operational',
              code: 'analyze.failed',
              message: `${pcap}: ${errorMessage(error)}`,
              cause: error,
            });
    }
    await run.finish();
    if (out.stream.writableNeedDrain && !stop.signal.aborted) {
      await once(out.stream, 'drain').catch((error: unknown) => {
        if (!stop.signal.aborted) throw error;
      });
    }
  }
  progress.end();
  await out.close();
  if (failure !== undefined) throw failure;
}

/** A mistyped name must not empty the file of an earlier run; of several captures those that are there are analysed. */
async function refuseIfNoneOpens(pcaps: readonly string[]): Promise<void> {
  let failure: unknown;
  for (const pcap of pcaps) {
    try {
      (await openFileSource(pcap)).close();
      return;
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure;
}

interface RunDeps {
  write(line: string): void;
  policies: PolicyEngine | undefined;
}

/** One capture: its own flows and detectors, so that captures do not influence each other. */
async function openRun(config: LoadedConfig, options: AnalyzeOptions, { write, policies }: RunDeps) {
  compileLater();
  const emit = createReport(options, config, policies, write);
  const detectors: Detectors = await createDetectors(detectorConfig(config, options), {
    emit: emit.detection,
    onTagged(packet, place) {
      if (options.format !== 'eve') return;
      const flowId = place.slot < 0 ? undefined : place.flows?.flowId[place.slot];
      const ends = { src: place.src(), dst: place.dst() };
      write(packetLine(packet, flowId === undefined ? ends : { ...ends, flowId }));
    },
    log: silentLogger,
    sensor: config.name,
    offline: true,
    ...(options.rules === undefined || isNone(options.rules) ? {} : { rules: options.rules }),
    ...(options.intel === undefined || options.intel === 'none' ? {} : { intelFolder: options.intel }),
  });
  const [refused] = detectors.refusedModels;
  if (refused) {
    await detectors.close();
    throw new AppError({
      kind: 'user',
      code: 'analyze.model_refused',
      message: `The model in ${refused.dir} cannot be used: ${refused.reason}.`,
      fix: 'Name a model bundle, a folder of bundles or none with --models.',
    });
  }
  compileSooner();
  const pipeline = createPipeline(config, {
    observers: detectors.observers,
    onFlowEnd(flows, slot, reason) {
      if (options.flows && options.format === 'eve') write(flowLine(toFlowRecord(flows, slot, reason)));
    },
  });
  return {
    pipeline,
    async finish() {
      pipeline.flush();
      await detectors.drain();
      emit.end(pipeline.nowUs);
      // Nothing was read: the error says why, and there is nothing to count.
      if (options.format === 'eve' && pipeline.packets > 0)
        write(statsLine(pipeline.nowUs, { ...pipeline.stats(), ...detectors.stats() }));
      await detectors.close();
    },
  };
}

function isNone(rules: readonly string[] | undefined): boolean {
  return rules?.length === 1 && rules[0] === 'none';
}

function detectorConfig(config: LoadedConfig, options: AnalyzeOptions): LoadedConfig {
  const { models, behaviour, signature } = config.detect;
  const noModels = options.models === 'none';
  const named = options.models === undefined || noModels ? models.models : [options.models];
  return {
    ...config,
    detect: {
      ...config.detect,
      behaviour: { ...behaviour, enabled: options.behaviour === 'on' },
      models: { ...models, enabled: !noModels && models.enabled, models: named },
      signature: { ...signature, enabled: !isNone(options.rules) && signature.enabled },
    },
  };
}

async function openPolicies(config: LoadedConfig, options: AnalyzeOptions): Promise<PolicyEngine | undefined> {
  if (options.policies === 'none') return undefined;
  const folder = await loadPolicyFolder(options.policies ?? config.policy.dir);
  if (folder.problems.length > 0) throw policyError(folder.problems);
  return createOfflineEngine(config, folder.policies);
}

/** Turns detections into lines: EVE and CSV one line a detection, SIEM formats one line an alert as live. */
function createReport(
  options: AnalyzeOptions,
  config: LoadedConfig,
  policies: PolicyEngine | undefined,
  write: (line: string) => void,
) {
  const { format } = options;
  const context: FormatContext = {
    productVersion: VERSION,
    hostName: hostname(),
    add: [],
    cefVersion: 0,
    dataset: 'portcullis.alert',
    namespace: 'default',
    splunkSourcetype: 'portcullis',
  };
  const correlator = createCorrelator(config.correlate, {
    newId: uuid7,
    emit({ alert, isNew }) {
      const decision = policies?.judge(alert, alert.lastMs).decision;
      if (format === 'eve') {
        if (decision) write(decisionLine({ ...decision, createdMs: alert.lastMs }));
        return;
      }
      if (format === 'csv') return;
      write(
        FORMATTERS[format](alertToSiemEvent(alert, { isNew, action: decision ? 'simulated' : 'allowed' }), context),
      );
      if (decision) {
        write(
          FORMATTERS[format](
            decisionToSiemEvent({ ...decision, simulated: true }, 'simulated', {
              sensor: config.name,
              atMs: alert.lastMs,
              alert,
            }),
            context,
          ),
        );
      }
    },
  });
  return {
    detection(detection: Detection): void {
      if (format === 'eve') write(alertLine(detection, { packetCount: options.pcapCnt === true }));
      if (format === 'csv') write(csvLine(detection));
      if (policies || (format !== 'eve' && format !== 'csv')) correlator.push(detection);
    },
    end(nowUs: number): void {
      correlator.tick(nowUs / 1000 + 3_600_000);
    },
  };
}

function openOutput(path: string): { stream: Writable; close(): Promise<void> } {
  if (path === '-') return { stream: process.stdout, close: () => Promise.resolve() };
  const stream = createWriteStream(path, { mode: 0o640 });
  const failed = new Promise<never>((_resolve, reject) => {
    stream.on('error', (error) => {
      reject(
        new AppError({
          kind: 'operational',
          code: 'analyze.cannot_write',
          message: `${path} cannot be written: ${errorMessage(error)}`,
          cause: error,
        }),
      );
    });
  });
  failed.catch(() => undefined);
  return {
    stream,
    async close() {
      stream.end();
      await Promise.race([finished(stream), failed]);
    },
  };
}
