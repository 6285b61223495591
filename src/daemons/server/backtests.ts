import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { BacktestJob } from '../../contract/http.js';
import { parsePolicy, policyError, type Policy } from '../../policy/index.js';
import { AppError } from '../../util/errors.js';
import { uuid7 } from '../../util/uuid7.js';
import type { BacktestOrder, BacktestTold } from '../backtest/child.js';

const KEPT_JOBS = 20;
const MAX_HEAP_MIB = 1024;

export interface BacktestJobsDeps {
  /** What every backtest starts from: the store, the policies in force, the protected set. */
  order(): Omit<BacktestOrder, 'candidate' | 'sinceMs' | 'untilMs'>;
  now(): number;
}

/** Backtests asked for by the API: one at a time, each in a process of its own; the last ones are kept in memory. */
export interface BacktestJobs {
  /** @throws AppError backtest.busy, policy.invalid */
  start(request: { sinceSecs: number; candidates: string[] }, actor: string): BacktestJob;
  list(): BacktestJob[];
  /** @throws AppError backtest.not_found */
  get(id: string): BacktestJob;
  cancel(id: string): BacktestJob;
  close(): void;
}

export function createBacktestJobs(deps: BacktestJobsDeps): BacktestJobs {
  const jobs = new Map<string, BacktestJob>();
  let running: { job: BacktestJob; child: ChildProcess } | undefined;

  function get(id: string): BacktestJob {
    const job = jobs.get(id);
    if (job) return job;
    throw new AppError({ kind: 'user', code: 'backtest.not_found', message: 'There is no backtest with this id.' });
  }

  function end(job: BacktestJob, change: Partial<BacktestJob>): void {
    if (job.state !== 'running') return;
    Object.assign(job, change, { endedMs: deps.now() });
    if (running?.job === job) running = undefined;
  }

  function run(job: BacktestJob, order: BacktestOrder): void {
    const isSource = import.meta.url.endsWith('.ts');
    const file = fileURLToPath(new URL(`../backtest/child.${isSource ? 'ts' : 'js'}`, import.meta.url));
    const execArgv = [...process.execArgv, `--max-old-space-size=${MAX_HEAP_MIB}`];
    const child = fork(file, [], { execArgv, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    running = { job, child };
    child.on('message', (told: BacktestTold) => {
      if (told.type === 'progress') job.progress = Math.max(job.progress, told.share);
      else if (told.type === 'done') end(job, { state: 'done', progress: 1, result: told.report });
      else end(job, { state: 'failed', error: told.message });
    });
    child.on('error', (error) => end(job, { state: 'failed', error: error.message }));
    child.on('exit', (code, signal) => {
      end(job, { state: 'failed', error: `the backtest ended with ${signal ?? `code ${code ?? 0}`}` });
    });
    child.send(order);
  }

  return {
    start({ sinceSecs, candidates }, actor) {
      if (running) {
        throw new AppError({
          kind: 'user',
          code: 'backtest.busy',
          message: 'Another backtest is running.',
          fix: 'Wait for it, or cancel it.',
        });
      }
      const base = deps.order();
      const candidate = candidates.length === 0 ? null : replaced(base.active, candidates);
      const now = deps.now();
      const job: BacktestJob = {
        id: uuid7(now),
        state: 'running',
        progress: 0,
        actor,
        sinceSecs,
        candidates: (candidate ?? []).filter((p) => !base.active.includes(p)).map((p) => p.name),
        startedMs: now,
        endedMs: null,
        error: null,
        result: null,
      };
      const oldest = jobs.keys().next().value;
      if (jobs.size >= KEPT_JOBS && oldest !== undefined) jobs.delete(oldest);
      jobs.set(job.id, job);
      run(job, { ...base, candidate, sinceMs: now - sinceSecs * 1000, untilMs: now });
      return job;
    },
    list: () => [...jobs.values()].reverse(),
    get,
    cancel(id) {
      const job = get(id);
      const child = running?.job === job ? running.child : undefined;
      end(job, { state: 'cancelled' });
      child?.kill('SIGKILL');
      return job;
    },
    close() {
      running?.child.kill('SIGKILL');
    },
  };
}

/** Policies with these texts in place of those of the same name. @throws AppError policy.invalid */
export function replaced(policies: readonly Policy[], texts: readonly string[]): Policy[] {
  const byName = new Map(policies.map((p) => [p.name, p]));
  for (const [i, text] of texts.entries()) {
    const parsed = parsePolicy(text, `candidate ${i + 1}`);
    if (!parsed.ok) throw policyError(parsed.problems);
    byName.set(parsed.policy.name, parsed.policy);
  }
  return [...byName.values()];
}
