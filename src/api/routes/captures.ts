import type { captureOperations, ListQuery, Page } from '../../contract/http.js';
import type { Control } from '../deps.js';
import { userError } from '../errors.js';
import type { Handlers } from '../request.js';

/** A page of a short list that is in memory: words search in it, the cursor is a position. */
export function pageOfMemory<T extends object>(all: readonly T[], { limit, cursor, q }: ListQuery): Page<T> {
  const words = (q ?? '').toLowerCase().match(/\S+/g) ?? [];
  const found = all.filter((item) => {
    const text = JSON.stringify(item).toLowerCase();
    return words.every((word) => text.includes(word));
  });
  if (cursor !== undefined && !/^\d{1,9}$/.test(cursor)) {
    throw userError({
      code: 'search.cursor',
      message: 'The cursor is not one that this server gave out.',
      fix: 'Start again without a cursor.',
    });
  }
  const from = Number(cursor ?? 0);
  return {
    items: found.slice(from, from + limit),
    nextCursor: from + limit < found.length ? String(from + limit) : null,
  };
}

export function captureHandlers({ control }: { control: Control }): Pick<Handlers, keyof typeof captureOperations> {
  const { captures, jobs } = control.lab;
  return {
    listCaptures: async ({ query }) => pageOfMemory(await captures.list(), query),
    async uploadCapture(request) {
      const capture = await captures.add(request.query.name, request.actor, request.upload);
      const { name, bytes, sha256 } = capture;
      await request.audit({ action: 'capture.add', object: capture.id, after: { name, bytes, sha256 } });
      return capture;
    },
    getCapture: async ({ params }) => captures.get(params.id),
    async removeCapture(request) {
      const { id, name } = await captures.get(request.params.id);
      await captures.remove(id);
      await request.audit({ action: 'capture.remove', object: id, before: { name } });
    },
    async downloadCapture(request) {
      const { id, name } = await captures.get(request.params.id);
      await request.audit({ action: 'capture.download', object: id, after: { name } });
      return captures.file(id);
    },
    listPackets: async ({ params, query }) => captures.packets(params.id, query),
    getPacket: async ({ params }) => captures.packet(params.id, params.number),
    listJobs: async ({ query }) => pageOfMemory(await jobs.list(), query),
    async addJob(request) {
      const job = await jobs.add(request.body, request.actor);
      await request.audit({ action: 'job.add', object: job.id, after: { capture: job.captureName, ...job.options } });
      return job;
    },
    getJob: async ({ params }) => jobs.get(params.id),
    async removeJob(request) {
      const { id, captureName, state } = await jobs.get(request.params.id);
      await jobs.remove(id);
      await request.audit({ action: 'job.remove', object: id, before: { capture: captureName, state } });
    },
    listJobAlerts: async ({ params, query }) => jobs.alerts(params.id, query),
    listJobBlocks: async ({ params, query }) => jobs.blocks(params.id, query),
  };
}
