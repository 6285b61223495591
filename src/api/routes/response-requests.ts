import { createHash } from 'node:crypto';
import {
  responseResultSchema,
  type ResponseAnswer,
  type ResponseRequest,
  type ResponseResult,
  type responseOperations,
} from '../../contract/http.js';
import type { ResponseRequestRow, Store } from '../../store/index.js';
import { uuid7 } from '../../util/uuid7.js';
import type { Control } from '../deps.js';
import { userError } from '../errors.js';
import type { ApiRequest, Handlers } from '../request.js';

interface Parts {
  store: Store;
  control: Control;
  now(): number;
}

/** A request that was begun so long ago and has no answer died with its server; another may take it over. */
const ABANDONED_MS = 60_000;

const sha256 = (...parts: string[]): string => createHash('sha256').update(JSON.stringify(parts)).digest('hex');

/** Requests of a SIEM or SOAR: each key is worked on once, and later requests with it get the first answer. */
export function responseHandlers({ store, control, now }: Parts): Pick<Handlers, keyof typeof responseOperations> {
  const rows = store.responseRequests;

  /** @returns the answer of an earlier request with the key, or the row that is ours to work on. */
  async function claim(body: ResponseRequest, actor: string): Promise<ResponseResult | ResponseRequestRow> {
    const row: ResponseRequestRow = {
      keyHash: sha256(actor, body.idempotencyKey),
      id: uuid7(now()),
      atMs: now(),
      actor,
      source: body.source,
      bodyHash: sha256(JSON.stringify(body)),
      answer: '',
    };
    const earlier = await rows.begin(row);
    if (!earlier) return row;
    if (earlier.bodyHash !== row.bodyHash) {
      throw userError({
        code: 'response.conflict',
        message: 'This idempotency key was used for another request.',
        fix: 'Use a new key for each request, for example the id of the alert with the time.',
      });
    }
    if (earlier.answer !== '') return { ...responseResultSchema.parse(JSON.parse(earlier.answer)), replayed: true };
    const isAbandoned = now() - earlier.atMs >= ABANDONED_MS;
    if (isAbandoned && (await rows.takeOver(row.keyHash, earlier.atMs, now()))) return { ...row, id: earlier.id };
    throw userError({
      code: 'request.busy',
      message: 'A request with this idempotency key is being worked on.',
      fix: 'Ask again in a moment with the same key.',
    });
  }

  async function work(
    request: ApiRequest<(typeof responseOperations)['requestResponse']>,
    row: ResponseRequestRow,
  ): Promise<ResponseResult> {
    const { body, actor } = request;
    const items = await control.respond(body, actor);
    const result = toResult(body, row, items);
    await rows.finish(row.keyHash, JSON.stringify(result));
    for (const item of items) {
      await request.audit({
        action: `response.${body.dryRun ? 'dry_run' : item.op}`,
        object: item.value,
        outcome: item.outcome === 'refused' ? 'failure' : 'success',
        reason: `${body.source}${body.reference === undefined ? '' : ` ${body.reference}`}: ${item.message}`,
        after: { request: row.id, outcome: item.outcome, code: item.code, decisionIds: item.decisionIds },
      });
    }
    return result;
  }

  return {
    async requestResponse(request) {
      const claimed = await claim(request.body, request.actor.name);
      if ('items' in claimed) return claimed;
      try {
        return await work(request, claimed);
      } catch (error) {
        await rows.abandon(claimed.keyHash);
        throw error;
      }
    },
    async listResponseRequests({ query }) {
      const page = await rows.list(query);
      const items = page.items.map((row) => responseResultSchema.parse(JSON.parse(row.answer)));
      return { items, nextCursor: page.nextCursor };
    },
  };
}

function toResult(body: ResponseRequest, row: ResponseRequestRow, items: ResponseAnswer[]): ResponseResult {
  const count = (outcome: ResponseAnswer['outcome']): number => items.filter((i) => i.outcome === outcome).length;
  return {
    id: row.id,
    atMs: row.atMs,
    actor: row.actor,
    source: body.source,
    reference: body.reference ?? '',
    idempotencyKey: body.idempotencyKey,
    dryRun: body.dryRun,
    replayed: false,
    accepted: count('accepted'),
    unchanged: count('unchanged'),
    refused: count('refused'),
    items,
  };
}
