import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Job, JobAlert, JobBlock, JobRequest, ListQuery, Page } from '../../contract/http.js';
import { AppError, errorMessage } from '../../util/errors.js';
import type { Logger } from '../../util/logger.js';
import { uuid7 } from '../../util/uuid7.js';
import type { CaptureLibrary } from './captures.js';
import type { LabOptions } from './options.js';
import { runChild } from './run-child.js';

const MAX_QUEUED = 20;

export interface JobBookDeps {
  captures: CaptureLibrary;
  configFile: string | undefined;
  /** Texts of the policies in force. */
  policyTexts(): Promise<string[]>;
  /** For the live feed. */
  changed?(job: Job): void;
  log: Logger;
}

/** Analysis jobs, one at a time; results are files, so that they outlive a restart. */
export interface JobBook {
  list(): Job[];
  get(id: string): Job;
  add(request: JobRequest, user: string): Promise<Job>;
  /** Cancels a job that waits or runs; removes one that has ended. */
  remove(id: string): Promise<void>;
  removeOf(captureId: string): Promise<void>;
  alerts(id: string, query: ListQuery): Promise<Page<JobAlert>>;
  blocks(id: string, query: ListQuery): Promise<Page<JobBlock>>;
  close(): Promise<void>;
}

export function createJobBook(dir: string, options: LabOptions, deps: JobBookDeps): JobBook {
  const jobs = new Map<string, Job>();
  const requests = new Map<string, JobRequest>();
  const waiting: string[] = [];
  let running: { id: string; stop: AbortController; done: Promise<void> } | undefined;
  let closed = false;
  const fileOf = (id: string, what: 'job' | 'alerts' | 'blocks'): string =>
    join(dir, `${id}.${what === 'job' ? 'json' : `${what}.ndjson`}`);

  for (const name of existsSync(dir)
    ? readdirSync(dir)
        .filter((n) => n.endsWith('.json'))
        .sort()
    : []) {
    const job = JSON.parse(readFileSync(join(dir, name), 'utf8')) as Job;
    const cutOff = job.state === 'queued' || job.state === 'running';
    jobs.set(job.id, cutOff ? { ...job, state: 'failed', error: 'The server ended before the job did.' } : job);
  }

  async function save(job: Job): Promise<void> {
    const path = fileOf(job.id, 'job');
    await writeFile(`${path}.new`, JSON.stringify(job), { mode: 0o640 });
    await rename(`${path}.new`, path);
  }

  function get(id: string): Job {
    const job = jobs.get(id);
    if (!job) throw new AppError({ kind: 'user', code: 'lab.not_found', message: 'There is no such job.' });
    return job;
  }

  function change(id: string, changes: Partial<Job>): Job {
    const job = { ...get(id), ...changes };
    jobs.set(id, job);
    deps.changed?.(job);
    return job;
  }

  /** What has ended is on the disk before anybody hears of it. */
  async function end(id: string, changes: Partial<Job>): Promise<void> {
    const ended = { ...changes, endedMs: Date.now() };
    await save({ ...get(id), ...ended });
    if (jobs.has(id)) change(id, ended);
    else await drop(id);
  }

  async function run(id: string, signal: AbortSignal): Promise<void> {
    const request = requests.get(id);
    requests.delete(id);
    if (!request) return;
    await save(change(id, { state: 'running', startedMs: Date.now() }));
    const total = Math.max(1, deps.captures.get(request.captureId).packets);
    try {
      const answer = await runChild(
        {
          op: 'analyse',
          capture: deps.captures.path(request.captureId),
          configFile: deps.configFile,
          signatures: request.signatures,
          behaviour: request.behaviour,
          models: request.models,
          policies: await deps.policyTexts(),
          candidate: request.candidate,
          maxAlerts: options.max_alerts,
          alertsFile: fileOf(id, 'alerts'),
          blocksFile: fileOf(id, 'blocks'),
        },
        {
          timeoutMs: options.timeout_secs * 1000,
          heapMib: options.heap_mib,
          signal,
          onProgress: (packets) => change(id, { packets, progress: Math.min(0.99, packets / total) }),
        },
      );
      if (answer.op !== 'analysed') throw new AppError({ kind: 'bug', code: 'lab.failed', message: 'wrong answer' });
      const { result } = answer;
      await end(id, { state: 'done', progress: 1, packets: result.packets, result });
    } catch (error) {
      if (!jobs.has(id)) return;
      const cancelled = error instanceof AppError && error.code === 'lab.cancelled';
      const state = cancelled ? 'cancelled' : 'failed';
      await end(id, { state, error: errorMessage(error) });
      if (!cancelled) deps.log.warn({ err: error, job: id }, 'An analysis failed.');
    }
  }

  function next(): void {
    const id = closed || running ? undefined : waiting.shift();
    if (id === undefined) return;
    const stop = new AbortController();
    const done = run(id, stop.signal)
      .catch((error: unknown) => {
        deps.log.error({ err: error, job: id }, 'The state of a job was not kept.');
      })
      .finally(() => {
        running = undefined;
        next();
      });
    running = { id, stop, done };
  }

  async function drop(id: string): Promise<void> {
    jobs.delete(id);
    for (const what of ['job', 'alerts', 'blocks'] as const) await rm(fileOf(id, what), { force: true });
  }

  async function makeRoom(): Promise<void> {
    const ended = [...jobs.values()].filter((job) => job.endedMs !== null || job.state === 'failed');
    for (const job of ended.slice(0, Math.max(0, jobs.size - options.max_jobs + 1))) await drop(job.id);
  }

  async function stopIfRunning(id: string): Promise<void> {
    const at = waiting.indexOf(id);
    if (at >= 0) waiting.splice(at, 1);
    requests.delete(id);
    if (running?.id !== id) return;
    running.stop.abort();
    await running.done;
  }

  async function rows<T>(id: string, what: 'alerts' | 'blocks', { limit, cursor, q }: ListQuery): Promise<Page<T>> {
    if (get(id).state !== 'done') return { items: [], nextCursor: null };
    const words = (q ?? '').toLowerCase().match(/\S+/g) ?? [];
    const lines = (await readFile(fileOf(id, what), 'utf8')).split('\n').filter((line) => {
      const text = line.toLowerCase();
      return line !== '' && words.every((word) => text.includes(word));
    });
    const from = /^\d{1,7}$/.test(cursor ?? '') ? Number(cursor) : 0;
    const items = lines.slice(from, from + limit).map((line) => JSON.parse(line) as T);
    return { items, nextCursor: from + limit < lines.length ? String(from + limit) : null };
  }

  return {
    list: () => [...jobs.values()].reverse(),
    get,
    async add(request, user) {
      const capture = deps.captures.get(request.captureId);
      if (waiting.length >= MAX_QUEUED) {
        throw new AppError({
          kind: 'user',
          code: 'lab.busy',
          message: `${MAX_QUEUED} jobs wait already.`,
          fix: 'Wait for some to end.',
        });
      }
      await mkdir(dir, { recursive: true, mode: 0o750 });
      await makeRoom();
      const { signatures, behaviour, models } = request;
      const job: Job = {
        ...{ id: uuid7(), captureId: capture.id, captureName: capture.name, user, state: 'queued' as const },
        ...{
          progress: 0,
          packets: 0,
          createdMs: Date.now(),
          startedMs: null,
          endedMs: null,
          error: null,
          result: null,
        },
        options: { signatures, behaviour, models, candidate: request.candidate !== undefined },
      };
      jobs.set(job.id, job);
      requests.set(job.id, request);
      await save(job);
      waiting.push(job.id);
      next();
      return get(job.id);
    },
    async remove(id) {
      const { state } = get(id);
      const ended = state !== 'queued' && state !== 'running';
      await stopIfRunning(id);
      if (ended) await drop(id);
      else if (get(id).state === 'queued') await end(id, { state: 'cancelled' });
    },
    async removeOf(captureId) {
      for (const job of [...jobs.values()].filter((j) => j.captureId === captureId)) {
        await stopIfRunning(job.id);
        await drop(job.id);
      }
    },
    alerts: (id, query) => rows<JobAlert>(id, 'alerts', query),
    blocks: (id, query) => rows<JobBlock>(id, 'blocks', query),
    async close() {
      closed = true;
      running?.stop.abort();
      await running?.done;
    },
  };
}
