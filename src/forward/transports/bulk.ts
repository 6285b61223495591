import { z } from 'zod';
import type { DestinationSettings } from '../settings.js';
import type { HttpDialect, Judgement } from './http.js';
import { DeliveryError, type Message, type Rejected } from './transport.js';

const itemSchema = z.object({
  create: z.object({
    status: z.number(),
    error: z.object({ type: z.string().optional(), reason: z.string().nullish() }).optional(),
  }),
});
const answerSchema = z.object({ errors: z.boolean(), items: z.array(itemSchema) });

/**
 * Elasticsearch and OpenSearch `_bulk` with operation `create` into a data stream. The event id is the document id, so
 * sending again is harmless: 409 means that it is there. HTTP 200 says nothing by itself; each item has its status.
 */
export function createBulkDialect(settings: DestinationSettings): HttpDialect {
  const { options } = settings;
  const url = new URL(settings.url);
  if (!url.pathname.endsWith('/_bulk')) url.pathname = `${url.pathname.replace(/\/$/, '')}/_bulk`;
  const index = `logs-${options.dataset}-${options.namespace}`;
  const headers: Record<string, string> = { 'content-type': 'application/x-ndjson', accept: 'application/json' };
  if (settings.token !== '') {
    headers['authorization'] =
      options.username !== undefined
        ? `Basic ${Buffer.from(`${options.username}:${settings.token}`).toString('base64')}`
        : `${options.preset === 'opensearch' ? 'Bearer' : 'ApiKey'} ${settings.token}`;
  }
  return {
    url,
    compress: options.gzip,
    policy: { maxEvents: 1, maxMs: 0, idleMs: 0 },
    encode: (messages) =>
      messages.map((m) => `${JSON.stringify({ create: { _index: index, _id: m.event.id } })}\n${m.body}\n`).join(''),
    headers: () => headers,
    judge: (answer, messages) => (answer.status === 200 ? judgeItems(answer.body, messages) : undefined),
  };
}

function judgeItems(body: string, messages: readonly Message[]): Judgement {
  let answer: z.infer<typeof answerSchema>;
  try {
    answer = answerSchema.parse(JSON.parse(body));
  } catch {
    throw new DeliveryError('retry', `not a _bulk answer: ${body.slice(0, 200)}`);
  }
  if (answer.items.length !== messages.length) {
    throw new DeliveryError('retry', `_bulk answered ${answer.items.length} items for ${messages.length} documents`);
  }
  const retry: Message[] = [];
  const rejected: Rejected[] = [];
  let reason = '';
  answer.items.forEach((item, i) => {
    const { status, error } = item.create;
    const message = messages[i]!;
    if (status < 300 || status === 409) return;
    const text = `HTTP ${status} ${error?.type ?? ''}: ${error?.reason ?? ''}`.slice(0, 500);
    if (status === 429 || status >= 500) {
      retry.push(message);
      reason = text;
    } else if (status === 401 || status === 403) {
      throw new DeliveryError('misconfigured', text);
    } else {
      rejected.push({ message, reason: text });
    }
  });
  return { retry, rejected, reason };
}
