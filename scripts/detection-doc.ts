/**
 * Writes docs/detection.md: what each behaviour detector does, and how well it does it on lab runs and on captures of others.
 *
 *   npx tsx scripts/detection-doc.ts --lab FOLDER [--lab FOLDER]... [--captures FOLDER CAPTURES.csv] [--verbose]
 *
 * A lab folder holds runs of `npm run lab -- all --role evaluate --out FOLDER`. What is not given keeps the figures that stand in
 * the document: rows of speeds without a new run are marked as earlier ones. Without any argument only prose and options are written anew.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { z } from 'zod';
import { toSnake } from '../src/config/snake.js';
import {
  BEHAVIOURS,
  behaviourOptionsSchema,
  SERVICE_NAMES,
  type BehaviourEntry,
} from '../src/detect/behaviour/index.js';
import { measureCaptures, type CaptureFigures } from './detection/captures.js';
import { measureLab } from './detection/lab-runs.js';
import { actionText, labSection, seconds } from './detection/lab-section.js';
import { BASELINE, DETECTORS, type DetectorProse } from './detection/prose.js';
import { shownTables } from './detection/shown.js';

const TARGET = fileURLToPath(new URL('../docs/detection.md', import.meta.url));
const ENTRIES: readonly BehaviourEntry[] = Object.values(BEHAVIOURS);
/** Marks around the two measured parts. */
const COST = `## Cost

\`portcullis bench --only behaviour,intel --captures FILE...\` measures CPU time a packet with and without all detectors, in turns in one process: made-up
and recorded packets (the fastest tenth of spans of 16,384), and the traffic of the section \`live\` over veth (median of five rounds; capture, decode and flow table
included). The made-up kinds are extremes: \`mixed\` is web flows of 12 packets and DNS flows of 2, three to one, each between another two of 400 clients and 200 servers, so that
nearly every flow is between two hosts that no table remembers; \`scan\` is one source and two packets a flow.

Before the last step, on a quiet machine (two cores of an AMD EPYC): mixed 205 ns, scan 537 ns, recorded browsing 45 ns, 50 clients behind one address 83 ns. That bench took its
packets fresh from memory (100 MB); live they have just been written and lie in a cache. A profile by line had 80 of 260 ns of \`mixed\` and a quarter of \`scan\` in the wait for
the packet's own bytes, which without detectors the processor hides behind the packet before. Blocks are now read once before their turn; and spans are so long that each has its share of ticks
and batches, which the fastest tenth of short blocks left out.

Before and after the last step, in turns on the same packets in one process, on a machine with much other work:

| traffic | load | before | after |
| --- | --: | --: | --: |
| scan, packets fresh from memory | 12 | 640 ns | 386 ns |
| mixed, packets fresh from memory | 12 | 328 ns | 278 ns |
| scan | 13 | 563 ns | 354 ns |
| mixed | 13 | 228 ns | 190 ns |
| scan | 25 | 643 ns | 388 ns |
| mixed | 25 | 382 ns | 332 ns |
| frames of the section live, again and again | 13 | 79 ns | 78 ns |
| frames of the section live, again and again | 13 | 87 ns | 83 ns |

The step: floods of networks are counted from a quarter of the sources on that a flood must have (a map of 256 bytes tells; first packets of fewer wait, so that findings are the same); the ends
of a flow are hashed and placed inside or outside once for all detectors; a flow's source is found by that hash instead of in a column of as many entries as there are flows; prefixes are
asked only where the first byte of an address does not tell; those who look at contacts fetch only what they will look at.
The findings of both, on 2242 captures and lab runs below 60 MB (6.9 million packets, 1257 alerts), are the same to the byte.

Over veth, at a load of 16 to 22 by other work, no packet lost: 224 ns without and 364 with all detectors as fast as the generator sends, 140 for them; at 50,000 packets a second 753 and 997,
244 for them (each wake-up finds the caches full of what others did).

On a quiet machine the same bench measured, for all detectors, nanoseconds a packet without them and what they add:

| traffic | without | added | an hour later, with what follows | added | aim of 150 ns |
| --- | --: | --: | --: | --: | --- |
| live, as fast as the generator sends | 279 | 116 | 350 | 156 | met, and missed by a little |
| live, 50,000 packets a second | 933 | 342 | 989 | 292 | not met |
| mixed | 172 | 196 | 254 | 233 | not met |
| scan | 204 | 354 | 201 | 308 | not met |

The machine was a quarter slower the second time (the columns without detectors say it), so the two are not a comparison. Between them what a contact needs of a usual peer came to lie in two cache lines instead of four, records begin where cache lines do (glibc hands out large memory 16 bytes behind a page's beginning, so that
every record of 64 bytes lay in two), and contacts are read ahead for one detector after the other. That was compared before and after, in turns in one process, the lower quartile at a load of 9 to 10: mixed 231 and 218,
247 and 199, 242 and 193 ns; scan, which makes no contacts, showed no gain beyond the scatter. Findings on 242 captures and lab runs (476,399 packets, 205 alerts) are the same to the byte. Tried without gain: 64 contacts at once instead of 256, huge
pages (\`glibc.malloc.hugetlb=1\`), reading records ahead too. Leaving contacts out altogether would take 66 of 176 ns off \`mixed\`.

With HTTP floods of many sources counted too, two more runs on the quiet machine, slower by then (Suricata took 4.6 us a packet beside it instead of 2.8): mixed 248 + 197 and 246 + 194 ns,
scan 269 + 256 and 274 + 245, live as fast as the generator sends 366 + 56 and 393 + 279 (two columns of rounds that scatter that much), at 50,000 a second 776 + 302 and 1,168 + 272.

Tried since, by turns in one process at a load of 5 to 7 (lower decile of spans, mixed): what FlowWatch and TcpWatch know of a flow in one column instead of two, no gain (213 and 230 ns, then 224 and 221). Heap numbers, by sampling:
the detectors allocate 10 bytes a packet on mixed and 40 on scan, each time a time is handed to a function that is not inlined, but the pipeline before them 16 for its clock, a variable of
a closure. That clock lies in an array now: capture to flow table 292, 275, 285 and 278 ns before, 265, 266, 257 and 259 after, with what the detectors add (205 to 219 ns) unchanged.

Recorded traffic of lab runs, after the first two of these changes and at a load of 10 to 12 by other work: two captures of browsing 114 and 105 ns, 50 clients behind one address 48 ns, within the aim.

Where the rest goes (before that, profile by line, load 14, nanoseconds a packet):

| part | mixed, of 248 | scan, of 353 |
| --- | --: | --: |
| the flow table's look-ups, made slower by what the detectors keep in the caches | 38 | 60 |
| decoding, likewise | 28 | 49 |
| contacts of hours and days: baselines, beacons, tables of addresses | 78 | 17 |
| following flows | 18 | 52 |
| handing packets to detectors | 27 | 39 |
| HTTP | 25 | 4 |
| port scans and sweeps, sets of distinct things | 1 | 64 |
| floods, sliding counts | 3 | 56 |

Contacts are look-ups of pairs of hosts in tables of several MiB, which lie in no cache; they are made 256 at a time so that the processor fetches them
together. An established connection's data packets cost a look at two bytes and a comparison.

A million indicators of threat intelligence take 36 MB. Looking up both ends of each new flow added 17 and 80 ns a packet to the
same made-up traffic.
`;

const LAB_MARK = '<!-- lab -->';
const CAPTURES_MARK = '<!-- captures -->';

const INTRO = `# Detection of behaviours

<!-- Written by scripts/detection-doc.ts. Prose is in scripts/detection/prose.ts, options in src/detect/behaviour/options.ts. -->

Behaviours are judged by source, network and target over windows of packet time, not by single packets or flows. Every
detector has its section under \`detect.behaviour\` in the configuration, can be switched off with \`enabled: false\` or, like its
thresholds, in the console (System, Settings; in force after the next start), and tells its findings as EVE alerts with gid 2. State is bounded: \`max_sources\`, \`max_networks\`, \`max_targets\` and the sets and
sketches that belong to them are made at the start and do not grow; what is evicted is counted (\`behaviour_sources_evicted\`
and relatives in \`GET /sensors\`). Distinct things are counted exactly up to 16 and estimated beyond (HyperLogLog, standard error
about 13 %), so large numbers in evidence are estimates.
`;

interface JsonSchema {
  default?: unknown;
  description?: string;
  properties?: Record<string, JsonSchema>;
}

/** Prose, options and techniques: everything that needs no measurement. */
export function detectorSections(): string {
  const schema = z.toJSONSchema(behaviourOptionsSchema, { io: 'input' }) as JsonSchema;
  const sections = new Map(Object.entries(schema.properties ?? {}).map(([key, value]) => [toSnake(key), value]));
  return `## Detectors\n\n${DETECTORS.map((d) => detectorSection(d, sections)).join('\n')}\n${BASELINE}\n${optionTable(['baseline'], sections)}\n`;
}

function detectorSection(d: DetectorProse, sections: ReadonlyMap<string, JsonSchema>): string {
  const entries = ENTRIES.filter((e) => d.labels.includes(e.label) || d.labels.some((l) => e.label === l));
  const techniques = [...new Map(entries.map((e) => [e.id, e])).values()].map(
    (e) =>
      `| ${e.id} | ${e.title} | \`${e.label}\` | ${e.severity} | ${e.attack.techniqueId} ${e.attack.techniqueName} |`,
  );
  return `### ${d.title}

**Counts.** ${d.counts}

**Spoofable.** ${d.spoofable}

**Misses.** ${d.misses}

| id | finding | label | severity | MITRE ATT&CK |
| --: | --- | --- | --- | --- |
${techniques.join('\n')}

${optionTable(d.options, sections)}
`;
}

function optionTable(names: readonly string[], sections: ReadonlyMap<string, JsonSchema>): string {
  const rows = names.flatMap((name) =>
    Object.entries(sections.get(name)?.properties ?? {}).map(([key, option]) => {
      const value = JSON.stringify(option.default) ?? '';
      return `| \`${name}.${toSnake(key)}\` | ${value === '' ? '' : `\`${value}\``} | ${option.description ?? ''} |`;
    }),
  );
  return `| option | default | what |\n| --- | --- | --- |\n${rows.join('\n')}`;
}

function captureSection(captures: CaptureFigures): string {
  const rows = captures.families.map(
    (f) =>
      `| ${f.family} | ${f.found} / ${f.attacking} | ${seconds(f.secondsToAlert, 0.5)} | ${seconds(f.secondsToAlert, 0.95)} |`,
  );
  const rate = (captures.falseAlerts.length / Math.max(1, captures.benignFlows)) * 10_000;
  const missed = captures.families.flatMap((f) => f.missed.map((path) => `- ${f.family}: ${path}`));
  return `### Captures of others

Public captures with known attackers; the detectors were tuned on some of them, so these figures flatter a little. Where the
truth is one label for a whole capture there is no time to give. SSH passwords are typed
into OpenSSH there, one to three a connection behind a refused key, which does not count: ten at the end of the seventh connection.

| family | found / attacking | first packet to alert p50 | p95 |
| --- | --: | --: | --: |
${rows.join('\n')}

${missed.length === 0 ? '' : `Missed:\n\n${missed.join('\n')}\n`}
Benign captures: ${captures.benignFlows} flows, ${captures.benignPackets} packets, **${captures.falseAlerts.length} false alerts**, ${rate.toFixed(2)} per 10,000 flows. ${actionText(captures.actions)}
${captures.falseAlerts.map((line) => `\n- ${line}`).join('')}
`;
}

/** The measured parts, as texts. */
export interface Measured {
  lab: string;
  captures: string;
}

export async function detectionDocument({ lab, captures }: Measured): Promise<string> {
  const part = (mark: string, text: string): string => `${mark}\n\n${text.trim()}\n\n${mark}`;
  const measured = `${part(LAB_MARK, lab)}\n\n${part(CAPTURES_MARK, captures)}`;
  const text = `${INTRO}\n${COST}\n## Measured\n\n${measured}\n\n${detectorSections()}\n${shownTables()}`;
  return format(text, { ...(await resolveConfig(TARGET)), parser: 'markdown' });
}

/** What stands in a document. */
export function measuredIn(document: string): Measured {
  const part = (mark: string): string => document.split(mark)[1]?.trim() ?? 'Not measured yet.';
  return { lab: part(LAB_MARK), captures: part(CAPTURES_MARK) };
}

function serviceLabels(): Set<string> {
  const services = SERVICE_NAMES.filter((name) => name !== '').map((name) => `${name}_brute_force`);
  return new Set([...ENTRIES.map((e) => e.label), ...services]);
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { lab: { type: 'string', multiple: true, default: [] }, captures: { type: 'string' } },
  });
  const more: Partial<Measured> = {};
  const before = measuredIn(existsSync(TARGET) ? readFileSync(TARGET, 'utf8') : '');
  if (values.lab.length > 0) more.lab = labSection(await measureLab(values.lab, serviceLabels()), before.lab);
  const [csv] = positionals;
  if (values.captures !== undefined && csv !== undefined)
    more.captures = captureSection(await measureCaptures(values.captures, csv, behaviourOptionsSchema.parse({})));
  writeFileSync(TARGET, await detectionDocument({ ...before, ...more }));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
