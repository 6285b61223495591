import { createHmac, randomUUID } from 'node:crypto';
import type { DestinationSettings } from '../settings.js';
import type { HttpDialect } from './http.js';

/**
 * Signature of a webhook body: `t=<unix seconds>,v1=<hex HMAC-SHA-256 of "t.body">`. The time inside lets the
 * receiver refuse replays.
 */
export function signWebhook(secret: string, body: string, unixSecs: number): string {
  return `t=${unixSecs},v1=${createHmac('sha256', secret).update(`${unixSecs}.${body}`).digest('hex')}`;
}

/** POST of `{"events":[...]}`, signed when there is a secret. */
export function createWebhookDialect(settings: DestinationSettings, now: () => number = Date.now): HttpDialect {
  return {
    url: new URL(settings.url),
    compress: false,
    policy: { maxEvents: 1, maxMs: 0, idleMs: 0 },
    encode: (messages) => `{"events":[${messages.map((message) => message.body).join(',')}]}`,
    headers: (body) => ({
      'content-type': 'application/json',
      'x-portcullis-delivery': randomUUID(),
      ...(settings.token === ''
        ? {}
        : { 'x-portcullis-signature': signWebhook(settings.token, body, Math.floor(now() / 1000)) }),
    }),
    judge: () => undefined,
  };
}
