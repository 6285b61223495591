import type { z } from 'zod';
import { LIST_LIMIT_MAX, type exportOperations, type exportQuerySchema, type FileAnswer } from '../../contract/http.js';
import type { PageRequest, PageResult, Store } from '../../store/index.js';
import { csvRow } from '../../contract/csv.js';
import type { Handlers } from '../request.js';
import { toAlertRow } from './alerts.js';

interface Parts {
  store: Store;
  now(): number;
}

type Row = Record<string, unknown>;
type Query = z.output<typeof exportQuerySchema>;

interface List {
  columns: readonly string[];
  page(request: PageRequest): Promise<PageResult<Row>>;
}

const asRows = <T extends object>(page: PageResult<T>, map: (item: T) => object = (item) => item): PageResult<Row> => ({
  items: page.items.map((item) => map(item) as Row),
  nextCursor: page.nextCursor,
});

function listsOf(
  store: Store,
  now: () => number,
): Record<'alerts' | 'incidents' | 'decisions' | 'flows' | 'audit', List> {
  return {
    alerts: {
      columns: [
        'id', 'firstMs', 'lastMs', 'severity', 'title', 'label', 'category', 'tiers', 'confidence', 'score', 'offender', 'victim',
        'srcIp', 'srcPort', 'dstIp', 'dstPort', 'proto', 'count', 'state', 'response', 'labelVerdict', 'signatureId', 'sensor', 'incidentId',
      ], // prettier-ignore
      page: async (request) => asRows(await store.alerts.list(request), toAlertRow),
    },
    incidents: {
      columns: ['id', 'firstMs', 'lastMs', 'severity', 'state', 'owner', 'title', 'offender', 'alertCount', 'labels'],
      page: async (request) => asRows(await store.incidents.list(request)),
    },
    decisions: {
      columns: [
        'id', 'createdMs', 'expiresMs', 'action', 'scope', 'value', 'port', 'durationSecs', 'origin', 'actor', 'policy', 'reason',
        'simulated', 'enforcement', 'hitPackets', 'hitBytes',
      ], // prettier-ignore
      page: async (request) => asRows(await store.decisions.list({ ...request, state: 'all' }, now())),
    },
    flows: {
      columns: [
        'id', 'startUs', 'endUs', 'srcIp', 'srcPort', 'dstIp', 'dstPort', 'proto', 'appProto', 'packetsFwd', 'packetsBwd', 'bytesFwd',
        'bytesBwd', 'endReason', 'sensor', 'communityId',
      ], // prettier-ignore
      page: async (request) => asRows(await store.flows.list(request)),
    },
    audit: {
      columns: ['seq', 'atMs', 'actor', 'address', 'action', 'object', 'outcome', 'reason', 'before', 'after', 'hash'],
      page: async (request) => asRows(await store.audit.list(request)),
    },
  };
}

/** The rows page by page: an export of a hundred thousand rows holds one page in memory. */
async function* linesOf(list: List, { format, q, max }: Query): AsyncGenerator<string> {
  if (format === 'csv') yield csvRow(list.columns);
  let left = max;
  let cursor: string | null | undefined;
  while (left > 0 && cursor !== null) {
    const page = await list.page({ limit: Math.min(left, LIST_LIMIT_MAX), cursor, q });
    left -= page.items.length;
    cursor = page.nextCursor;
    const line = (row: Row): string =>
      format === 'csv' ? csvRow(list.columns.map((name) => row[name])) : `${JSON.stringify(row)}\n`;
    if (page.items.length > 0) yield page.items.map(line).join('');
  }
}

export function exportHandlers({ store, now }: Parts): Pick<Handlers, keyof typeof exportOperations> {
  const lists = listsOf(store, now);

  async function toFile(name: keyof typeof lists, query: Query): Promise<FileAnswer> {
    // A wrong search is an answer of its own, not a file that breaks off.
    await lists[name].page({ limit: 1, q: query.q });
    return {
      name: `portcullis-${name}-${new Date(now()).toISOString().slice(0, 19).replaceAll(':', '')}.${query.format}`,
      type: query.format === 'csv' ? 'text/csv' : 'application/x-ndjson',
      body: linesOf(lists[name], query),
    };
  }

  return {
    async exportList(request) {
      const { list } = request.params;
      const file = await toFile(list, request.query);
      const { format, q, max } = request.query;
      await request.audit({ action: 'export', object: list, after: { format, q, max } });
      return file;
    },
    async exportAudit(request) {
      const file = await toFile('audit', request.query);
      const { format, q, max } = request.query;
      await request.audit({ action: 'export', object: 'audit', after: { format, q, max } });
      return file;
    },
  };
}
