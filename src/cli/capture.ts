import { createWriteStream, writeFileSync } from 'node:fs';
import { finished } from 'node:stream/promises';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { hardwareType, linkTypeOfHardware, openPcapWriter, openSource, type PacketSource } from '../capture/index.js';
import { LINK } from '../domain/packet.js';
import { FLOW_SCHEMA, KDD_SCHEMA } from '../features/index.js';
import { formatDuration, parseDuration } from '../util/duration.js';
import { AppError, errorMessage } from '../util/errors.js';
import { extractFrom, featureHeader } from './features.js';
import { showProgress } from './progress.js';

interface CaptureOptions {
  interface: string;
  duration: number;
  label?: string;
  schema: 'flow' | 'kdd';
  source: 'afpacket' | 'cap';
  out: string;
}

/** `portcullis capture`: live packets to a capture file, or straight to labelled feature vectors. */
export function register(program: Command): void {
  program
    .command('capture')
    .description('record your own network: packets (.pcap) or labelled feature vectors (.csv) for training')
    .requiredOption('--interface <name>', 'interface to record')
    .option('--duration <time>', 'how long: seconds, 5m, 1h; 0 until interrupted', toSecs, 300)
    .option('--label <name>', 'label of everything recorded; of a .pcap file it goes into FILE.labels.csv')
    .addOption(new Option('--schema <name>', 'feature schema of a .csv file').choices(['flow', 'kdd']).default('flow'))
    .addOption(new Option('--source <name>', 'how to capture').choices(['afpacket', 'cap']).default('afpacket'))
    .requiredOption('--out <file>', 'file to write: .pcap or .csv')
    .action(async (options: CaptureOptions) => {
      const isCsv = options.out.endsWith('.csv');
      if (!isCsv && !/\.p?cap$/.test(options.out)) throw usage('--out must end in .pcap or .csv');
      if (isCsv && options.label === undefined)
        throw usage('a .csv file needs --label: what is being recorded, e.g. benign');
      if (options.label !== undefined && !/^[^\s,;"]+$/.test(options.label))
        throw usage('--label must be one word, e.g. benign or port_scan');
      const stop = new AbortController();
      for (const signal of ['SIGINT', 'SIGTERM'] as const)
        process.once(signal, () => {
          stop.abort();
        });
      const source = await openSource({ kind: options.source, interface: options.interface });
      const howLong = options.duration > 0 ? `for ${formatDuration(options.duration)}` : 'until interrupted';
      process.stderr.write(`recording ${options.interface} ${howLong}\n`);
      if (options.duration > 0)
        setTimeout(() => {
          stop.abort();
        }, options.duration * 1000).unref();
      try {
        if (isCsv) await toCsv(source, options, stop.signal);
        else await toPcap(source, options, stop.signal);
        if (!isCsv && options.label !== undefined) writeLabels(options.out, options.label);
      } finally {
        source.close();
      }
      const { packets, kernelDrops } = source.stats();
      process.stderr.write(`${packets} packets, ${kernelDrops} lost by the kernel; written to ${options.out}\n`);
    });
}

/** A capture file has no place for a label: one line beside it says what all of it is, for `portcullis features --labels`. */
function writeLabels(out: string, label: string): void {
  const file = `${out}.labels.csv`;
  writeFileSync(file, `start,end,label\n,,${label}\n`, { mode: 0o640 });
  process.stderr.write(`its label is in ${file}: portcullis features ${out} --labels ${file}\n`);
}

async function toPcap(source: PacketSource, options: CaptureOptions, signal: AbortSignal): Promise<void> {
  // Tunnels have no link header: the file must say so.
  const isRaw = linkTypeOfHardware(hardwareType(options.interface)) === LINK.RAW;
  const writer = openPcapWriter(options.out, isRaw ? LINK.RAW : LINK.ETHERNET);
  const progress = showProgress('packets');
  try {
    await source.run((block) => {
      for (let i = 0; i < block.count; i++) writer.write(block, i);
      progress.set(writer.packets);
    }, signal);
  } finally {
    progress.end();
    writer.close();
  }
}

async function toCsv(source: PacketSource, options: CaptureOptions, signal: AbortSignal): Promise<void> {
  const definitions = (options.schema === 'kdd' ? KDD_SCHEMA : FLOW_SCHEMA).features;
  const out = createWriteStream(options.out, { mode: 0o640 });
  let failure: unknown;
  out.on('error', (error) => (failure ??= error));
  out.write(featureHeader(definitions));
  const job = {
    options: { schema: options.schema, unlabelled: options.label ?? '', moments: 'both' as const, out: options.out },
    definitions,
    truth: undefined,
    out,
  };
  await extractFrom(source, options.interface, job, signal);
  out.end();
  await finished(out).catch(() => undefined);
  if (failure !== undefined) {
    throw new AppError({
      kind: 'operational',
      code: 'capture.write_failed',
      message: `${options.out} cannot be written: ${errorMessage(failure)}.`,
      fix: 'Check the folder, its rights and the free space.',
      cause: failure,
    });
  }
}

function toSecs(text: string): number {
  const secs = parseDuration(text);
  if (secs === undefined) throw new InvalidArgumentError('not a duration such as 300, 90s or 5m');
  return secs;
}

function usage(message: string): AppError {
  return new AppError({ kind: 'user', code: 'capture.usage', message: `${message}.` });
}
