import { setTimeout as sleep } from 'node:timers/promises';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { DestinationSettings } from '../settings.js';
import type { HttpAnswer, HttpClient } from './http-client.js';
import type { HttpDialect } from './http.js';
import { DeliveryError, type Message } from './transport.js';

const answerSchema = z.object({
  text: z.string().optional(),
  code: z.number().optional(),
  ackId: z.number().optional(),
  'invalid-event-number': z.number().optional(),
});
const acksSchema = z.object({ acks: z.record(z.string(), z.boolean()) });

/** Codes of Splunk's HEC that one event causes, not the set-up: no data, bad format, missing or blank event, bad fields. */
const EVENT_CODES = new Set([5, 6, 12, 13, 15]);
/** Incorrect index, missing or invalid channel, acknowledgement disabled. */
const SETUP_CODES = new Set([7, 10, 11, 14]);
const FIRST_POLL_MS = 100;
const LAST_POLL_MS = 2000;

function parse<T>(schema: z.ZodType<T>, text: string): T | undefined {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/**
 * Splunk HTTP Event Collector. HTTP 200 means accepted, not indexed; where the token has indexer acknowledgement
 * (Splunk Enterprise), the answer carries an `ackId` that is polled until it is true.
 */
export function createHecDialect(settings: DestinationSettings): HttpDialect {
  const url = new URL(settings.url);
  if (url.pathname === '/') url.pathname = '/services/collector/event';
  const channel = randomUUID();
  const ackUrl = new URL(`/services/collector/ack?channel=${channel}`, url);
  const { ack, ack_timeout_secs: timeoutSecs } = settings.options;
  const pending = new Set<number>();
  const headers = {
    authorization: `Splunk ${settings.token}`,
    'content-type': 'application/json',
    'x-splunk-request-channel': channel,
  };
  return {
    url,
    compress: settings.options.gzip,
    policy: { maxEvents: 5000, maxMs: 2000, idleMs: 0 },
    encode: (messages) => messages.map((message) => message.body).join('\n'),
    headers: () => headers,
    judge(answer, messages) {
      const reply = parse(answerSchema, answer.body);
      if (answer.status !== 200) return reply?.code === undefined ? undefined : judgeCode(answer, reply, messages);
      mustBeAccepted(answer.body, reply);
      noteAck(reply?.ackId);
      return { retry: [], rejected: [] };
    },
    confirm: (client) => waitForAcks(client),
    reset: () => pending.clear(),
  };

  function noteAck(ackId: number | undefined): void {
    if (ack === 'off') return;
    if (ackId !== undefined) pending.add(ackId);
    else if (ack === 'on') {
      throw new DeliveryError('misconfigured', 'ack is on, but the token has no indexer acknowledgement');
    }
  }

  async function waitForAcks(client: HttpClient): Promise<void> {
    const deadlineMs = performance.now() + timeoutSecs * 1000;
    for (let waitMs = FIRST_POLL_MS; pending.size > 0; waitMs = Math.min(LAST_POLL_MS, waitMs * 2)) {
      const answer = await client.post(ackUrl, JSON.stringify({ acks: [...pending] }), headers, false);
      const reply = answer.status === 200 ? parse(acksSchema, answer.body) : undefined;
      if (!reply)
        throw new DeliveryError('retry', `acknowledgement poll: HTTP ${answer.status} ${answer.body.slice(0, 200)}`);
      for (const [id, done] of Object.entries(reply.acks)) if (done) pending.delete(Number(id));
      if (pending.size === 0) return;
      if (performance.now() > deadlineMs) {
        throw new DeliveryError(
          'retry',
          `not indexed within ${timeoutSecs} s: ${pending.size} requests unacknowledged`,
        );
      }
      await sleep(waitMs, undefined, { signal: client.signal }).catch(() => {
        throw new DeliveryError('retry', 'interrupted');
      });
    }
  }
}

/**
 * A 200 with another code than 0 is a refusal that something on the way has made a success of, one that is a page is from a
 * proxy or portal. Receivers that speak HEC answer with nothing, `OK` or JSON.
 */
function mustBeAccepted(body: string, reply: z.infer<typeof answerSchema> | undefined): void {
  const isRefusal = reply?.code !== undefined && reply.code !== 0;
  if (isRefusal) throw new DeliveryError('retry', `HTTP 200, but HEC code ${reply.code}: ${reply.text ?? ''}`);
  if (reply || /^\s*("?(OK|Success)"?\s*)?$/i.test(body)) return;
  throw new DeliveryError('retry', `not an answer of HEC: ${body.slice(0, 200)}`);
}

function judgeCode(
  answer: HttpAnswer,
  reply: z.infer<typeof answerSchema>,
  messages: readonly Message[],
): ReturnType<HttpDialect['judge']> {
  const text = `HEC code ${reply.code ?? '?'}: ${reply.text ?? ''}`;
  if (SETUP_CODES.has(reply.code ?? -1)) throw new DeliveryError('misconfigured', text);
  const bad = reply['invalid-event-number'];
  const message = bad === undefined ? undefined : messages[bad];
  if (!EVENT_CODES.has(reply.code ?? -1) || !message) return undefined;
  return {
    rejected: [{ message, reason: text }],
    retry: messages.filter((other) => other !== message),
    reason: text,
    retryAfterMs: answer.retryAfterMs,
  };
}
