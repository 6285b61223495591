import { createHash } from 'node:crypto';
import { Zip, ZipDeflate, type FlateError } from 'fflate';
import type { Store, StoredAlert } from '../store/index.js';
import type { EvidenceControl } from './evidence-control.js';

const MAX_FLOWS = 2000;
const MAX_AUDIT = 1000;
/** Flows of an offender count as evidence from so long before the first alert to so long after the last. */
const AROUND_MS = 600_000;

interface Parts {
  store: Store;
  evidence: EvidenceControl;
  version: string;
  now(): number;
}

interface Entry {
  name: string;
  bytes: Uint8Array;
}

const json = (name: string, value: unknown): Entry => ({
  name,
  bytes: Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`),
});
const lines = (name: string, rows: readonly unknown[]): Entry => ({
  name,
  bytes: Buffer.from(rows.map((row) => `${JSON.stringify(row)}\n`).join('')),
});

/** Flows of the offenders around their alerts. */
async function* flowRows(store: Store, alerts: readonly StoredAlert[]): AsyncGenerator<unknown> {
  const spans = new Map<string, { fromMs: number; toMs: number }>();
  for (const { offender, firstMs, lastMs } of alerts) {
    const span = spans.get(offender) ?? { fromMs: firstMs, toMs: lastMs };
    spans.set(offender, { fromMs: Math.min(span.fromMs, firstMs), toMs: Math.max(span.toMs, lastMs) });
  }
  let left = MAX_FLOWS;
  for (const [offender, { fromMs, toMs }] of spans) {
    const q = `ip:${offender} after:${fromMs - AROUND_MS} before:${toMs + AROUND_MS}`;
    let cursor: string | null | undefined;
    while (left > 0 && cursor !== null) {
      const page: Awaited<ReturnType<Store['flows']['list']>> = await store.flows.list({
        limit: Math.min(left, 200),
        cursor,
        q,
      });
      left -= page.items.length;
      cursor = page.nextCursor;
      yield* page.items;
    }
  }
}

/** Audit entries that name one of the objects. */
async function auditRows(store: Store, objects: ReadonlySet<string>): Promise<unknown[]> {
  const found: unknown[] = [];
  let cursor: string | null | undefined;
  for (let looked = 0; looked < MAX_AUDIT * 10 && found.length < MAX_AUDIT && cursor !== null; looked += 200) {
    const page: Awaited<ReturnType<Store['audit']['list']>> = await store.audit.list({ limit: 200, cursor });
    found.push(...page.items.filter((entry) => objects.has(entry.object)));
    cursor = page.nextCursor;
  }
  return found;
}

/** What belongs to some alerts: verdicts, decisions with their trace, labels, flows, audit, packets. */
async function* entriesOf(alerts: readonly StoredAlert[], { store, evidence }: Parts): AsyncGenerator<Entry> {
  yield lines('alerts.ndjson', alerts);
  const ids = alerts.map(({ id }) => id);
  const verdicts = await Promise.all(ids.map((id) => store.alerts.verdict(id)));
  yield lines(
    'verdicts.ndjson',
    verdicts.filter((verdict) => verdict !== undefined),
  );
  const decisions = new Map(
    (await Promise.all(ids.map((id) => store.decisions.ofAlert(id)))).flat().map((d) => [d.id, d]),
  );
  const withHistory = await Promise.all(
    [...decisions.values()].map(async (decision) => ({
      decision,
      history: await store.decisions.history(decision.id),
    })),
  );
  yield lines('decisions.ndjson', withHistory);
  yield lines('labels.ndjson', (await Promise.all(ids.map((id) => store.labels.ofAlert(id)))).flat());
  const flows: unknown[] = [];
  for await (const flow of flowRows(store, alerts)) flows.push(flow);
  yield lines('flows.ndjson', flows);
  const incidents = alerts.map(({ incidentId }) => incidentId);
  const values = [...decisions.values()].map(({ value }) => value);
  yield lines('audit.ndjson', await auditRows(store, new Set([...ids, ...incidents, ...values])));
  for (const id of ids) {
    const bytes = await evidence.pcap(id);
    if (bytes) yield { name: `packets/${id}.pcap`, bytes };
  }
}

/** Entries as the chunks of a zip file; the last one is the list of their SHA-256 hashes. */
async function* zip(
  entries: AsyncIterable<Entry>,
  manifest: (hashes: Record<string, string>) => Entry,
): AsyncGenerator<Uint8Array> {
  const ready: Uint8Array[] = [];
  let failure: FlateError | null = null;
  const archive = new Zip((error, chunk) => {
    failure ??= error;
    ready.push(chunk);
  });
  const hashes: Record<string, string> = {};
  function push({ name, bytes }: Entry): void {
    const file = new ZipDeflate(name, { level: 6 });
    archive.add(file);
    file.push(bytes, true);
  }
  for await (const entry of entries) {
    hashes[entry.name] = createHash('sha256').update(entry.bytes).digest('hex');
    push(entry);
    if (failure) throw failure;
    yield* ready.splice(0);
  }
  push(manifest(hashes));
  archive.end();
  yield* ready.splice(0);
}

/**
 * Evidence of alerts, and of their incident when that is what was asked for, as a zip: JSON for people and programs, pcap
 * for every packet tool, and a manifest with the SHA-256 of each file.
 */
export function evidenceBundle(
  alerts: readonly StoredAlert[],
  first: readonly Entry[],
  parts: Parts,
): AsyncGenerator<Uint8Array> {
  async function* all(): AsyncGenerator<Entry> {
    yield* first;
    yield* entriesOf(alerts, parts);
  }
  return zip(all(), (sha256) =>
    json('manifest.json', {
      product: 'Portcullis',
      version: parts.version,
      madeMs: parts.now(),
      alerts: alerts.length,
      sha256,
    }),
  );
}

export const bundleEntry = json;
