import { createWriteStream, type WriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { once } from 'node:events';
import { Option, type Command } from 'commander';
import { openFileSource, type PacketSource } from '../capture/index.js';
import { createPipeline } from '../daemons/pipeline.js';
import type { FeatureDefinition, FeatureVector } from '../domain/feature.js';
import type { FlowColumns, FlowRecord } from '../domain/flow.js';
import type { PacketObserver } from '../domain/stage.js';
import {
  createFlowFeatures,
  createKddFeatures,
  FLOW_SCHEMA,
  flowFeatureOptionsSchema,
  KDD_SCHEMA,
  kddFeatureOptionsSchema,
  parseTruth,
  type EmitVector,
  type Truth,
} from '../features/index.js';
import { toFlowRecord } from '../flow/index.js';
import { AppError, errorMessage } from '../util/errors.js';

const META = 'flow_id community_id src_ip src_port dst_ip dst_port proto start_us end_us moment source'.split(' ');

export interface FeatureOptions {
  schema: 'flow' | 'kdd';
  labels?: string[];
  unlabelled: string;
  moments: 'early' | 'end' | 'both';
  out: string;
}

/** `portcullis features`: captures to a CSV of feature vectors, for `portcullis train` and for looking at. */
export function register(program: Command): void {
  program
    .command('features')
    .description('write the feature vectors of captures as CSV')
    .argument('<pcap...>', 'pcap or pcapng files')
    .addOption(new Option('--schema <name>', 'feature schema').choices(['flow', 'kdd']).default('flow'))
    .option('--labels <files...>', 'who did what: one file for all captures, or one for each in their order')
    .option('--unlabelled <label>', 'label of flows that the labels file does not mention', 'benign')
    .addOption(new Option('--moments <which>', 'vectors to write').choices(['early', 'end', 'both']).default('both'))
    .requiredOption('--out <file>', 'CSV file to write; - for standard output')
    .action(async (captures: string[], options: FeatureOptions) => {
      const labels = options.labels ?? [];
      if (labels.length > 1 && labels.length !== captures.length) {
        throw new AppError({
          kind: 'user',
          code: 'features.labels',
          message: `There are ${captures.length} captures and ${labels.length} labels files.`,
          fix: 'Give one labels file for all captures, or one for each in the same order.',
        });
      }
      const truths = await Promise.all(labels.map(readTruth));
      // A mistyped name must not empty the file of an earlier run.
      for (const path of captures) (await openFileSource(path)).close();
      const out = options.out === '-' ? process.stdout : createWriteStream(options.out);
      const failed = new Promise<never>((_resolve, reject) =>
        out.once('error', (e) => reject(cannotWrite(options.out, e))),
      );
      const definitions = (options.schema === 'kdd' ? KDD_SCHEMA : FLOW_SCHEMA).features;
      out.write(featureHeader(definitions));
      const work = async (): Promise<void> => {
        for (const [i, path] of captures.entries()) {
          await extract(path, { options, definitions, truth: truths[i] ?? truths[0], out: out as WriteStream });
        }
        if (out !== process.stdout) await new Promise<void>((resolve) => out.end(resolve));
      };
      await Promise.race([work(), failed]);
    });
}

/** First line of a feature file. */
export function featureHeader(definitions: readonly FeatureDefinition[]): string {
  return `${[...META, ...definitions.map((d) => d.name), 'label'].join(',')}\n`;
}

async function readTruth(path: string): Promise<Truth> {
  try {
    return parseTruth(await readFile(path, 'utf8'));
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError({
      kind: 'user',
      code: 'features.labels',
      message: `Labels ${path} cannot be read: ${errorMessage(error)}.`,
      fix: 'Give a CSV or JSON file as the top of docs/features.md describes it.',
      cause: error,
    });
  }
}

function cannotWrite(path: string, cause: unknown): AppError {
  return new AppError({
    kind: 'operational',
    code: 'features.output',
    message: `${path} cannot be written: ${errorMessage(cause)}.`,
    fix: 'Check the folder, its rights and the free space.',
    cause,
  });
}

export interface Extraction {
  options: FeatureOptions;
  definitions: readonly FeatureDefinition[];
  truth: Truth | undefined;
  out: WriteStream;
}

/** Rows of a flow wait for its end, because only then every packet's label is known. */
async function extract(path: string, job: Extraction): Promise<void> {
  await extractFrom(await openFileSource(path), basename(path), job, new AbortController().signal);
}

/** The same from any source, until it ends or the signal aborts. @param name value of the column `source`. */
export async function extractFrom(
  source: PacketSource,
  name: string,
  job: Extraction,
  signal: AbortSignal,
): Promise<void> {
  const waiting = new Map<number, string[]>();
  const packetLabels = new Map<number, string>();
  const { options, truth } = job;
  const emit: EmitVector = (vector, _packet, flows, slot, moment) => {
    if (options.moments !== 'both' && options.moments !== moment) return;
    const id = flows.flowId[slot]!;
    const rows = waiting.get(id) ?? [];
    rows.push(formatRow(vector, toFlowRecord(flows, slot, 'active'), name, job.definitions));
    waiting.set(id, rows);
  };
  const features =
    options.schema === 'kdd'
      ? createKddFeatures(kddFeatureOptionsSchema.parse({}), { emit })
      : createFlowFeatures(flowFeatureOptionsSchema.parse({}), { emit });
  const write = (flows: FlowColumns, slot: number): void => {
    const id = flows.flowId[slot]!;
    const rows = waiting.get(id);
    const fromPackets = packetLabels.get(id);
    waiting.delete(id);
    packetLabels.delete(id);
    if (!rows) return;
    const label = fromPackets ?? truth?.ofFlow(toFlowRecord(flows, slot, 'active')) ?? options.unlabelled;
    for (const row of rows) job.out.write(`${row},${quote(label)}\n`);
  };
  const observers = truth?.kind === 'packets' ? [packetLabeller(truth, packetLabels), features] : [features];
  const pipeline = createPipeline({}, { observers, onFlowEnd: write });
  try {
    await source.run((block) => {
      pipeline.push(block);
    }, signal);
  } finally {
    source.close();
    pipeline.flush();
  }
  if (job.out.writableNeedDrain) await once(job.out, 'drain');
}

/** A flow is an attack as soon as one of its packets is. */
function packetLabeller(truth: Truth, labels: Map<number, string>): PacketObserver {
  return {
    onPacket(packet, flows, slot) {
      const label = slot < 0 ? undefined : truth.ofPacket(packet.number);
      if (label === undefined) return;
      const id = flows.flowId[slot]!;
      if ((labels.get(id) ?? 'benign') === 'benign') labels.set(id, label);
    },
    stats: () => ({}),
  };
}

function formatRow(vector: FeatureVector, flow: FlowRecord, file: string, all: readonly FeatureDefinition[]): string {
  const cells: (string | number)[] = [
    flow.flowId,
    flow.communityId,
    flow.srcIp,
    flow.srcPort,
    flow.dstIp,
    flow.dstPort,
    flow.proto,
    Math.round(flow.startUs),
    Math.round(flow.endUs),
    vector.moment,
    quote(`${file}/${flow.srcIp}`),
  ];
  for (const [i, definition] of all.entries()) {
    const value = vector.values[i]!;
    cells.push(definition.vocabulary?.[value] ?? Number(value.toPrecision(8)));
  }
  return cells.join(',');
}

function quote(text: string): string {
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
