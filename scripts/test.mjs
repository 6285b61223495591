// `npm test`: everything. `npm test -- unit/flow e2e`: only what matches one of the words, by stage or file name.
// The last line is `N passed, N failed`, with `, N skipped` when there are any. With CI=true a test that was
// skipped because something is missing fails the run.
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { ensureBuilt, filesUnder } from './lib/build.mjs';
import { compileTests } from './lib/compile-tests.mjs';
import { ensureAddons } from './lib/npm.mjs';
import { progress, runScript } from './lib/output.mjs';
import { noResults } from './lib/results.mjs';
import { shorten } from './lib/failure-text.mjs';
import { STAGES } from './lib/stages.mjs';
import { summarise } from './lib/summary.mjs';
import { install, ROOT } from './setup.mjs';

/** Type checks and linters that run side by side: each computes in one thread and takes up to a gigabyte. */
const CHECKS_AT_A_TIME = 2;

/** Children of the stages that run now. */
const running = new Set();
let interrupted = false;

/** Stages to run, each with its files; a stage whose name is asked for runs whole. */
export function selectStages(filters) {
  const selected = STAGES.map((stage) => {
    const isCheck = typeof stage.files !== 'function';
    const all = isCheck ? [] : stage.files(ROOT);
    const named = filters.length === 0 ? !stage.onRequest : filters.some((filter) => stage.name.startsWith(filter));
    const files = named ? all : all.filter((file) => filters.some((filter) => relative(ROOT, file).includes(filter)));
    return { ...stage, isCheck, files, wanted: named || files.length > 0 };
  });
  return selected.filter((stage) => stage.wanted);
}

/** Test files that no stage would ever run. */
function strayTests() {
  const known = new Set(STAGES.flatMap((stage) => (typeof stage.files === 'function' ? stage.files(ROOT) : [])));
  const all = ['test', 'admin-ui/test'].flatMap((folder) => filesUnder(join(ROOT, folder)));
  const stray = all.filter((file) => /\.(test|spec)\.[a-z]+$/.test(file) && !known.has(file));
  return stray.map((file) => ({ test: `${relative(ROOT, file)}: no stage of scripts/lib/stages.mjs runs this file` }));
}

async function runStage(stage, reportDir) {
  if (stage.root && process.getuid() !== 0) {
    const reason = `${stage.name}: makes network namespaces, which needs root: sudo npm test`;
    return { ...noResults(), skipped: stage.files.map((file) => `${relative(ROOT, file)}: ${reason}`) };
  }
  if (!stage.isCheck && stage.files.length === 0)
    return { ...noResults(), failed: [{ test: `${stage.name}: no test file found` }] };
  const report = join(reportDir, stage.name);
  const problem = await spawnStage(stage, stage.command(stage.files, report, ROOT), `${report}.out`);
  const results = stage.isCheck ? noResults() : stage.read(report);
  // Whatever the report says, a stage that ended badly has failed; one that counted nothing did not test.
  if (problem !== undefined && results.failed.length === 0)
    results.failed.push(stageFailure(stage, problem, `${report}.out`));
  if (!stage.isCheck && results.passed + results.failed.length + results.skipped.length === 0) {
    results.failed.push({ test: `${stage.name}: no test ran` });
  }
  return results;
}

/** A stage that failed as a whole, with what it printed where that was kept. */
function stageFailure({ name }, problem, outputFile) {
  const detail = existsSync(outputFile) ? shorten(readFileSync(outputFile, 'utf8')) : undefined;
  return { test: `${name}: ${problem}`, detail };
}

/**
 * Runs a stage in a process group of its own. Stages of the desk say what they have to say when they are done, not between the
 * lines of the other lane.
 * @returns what went wrong, or undefined.
 */
function spawnStage(stage, command, outputFile) {
  const atDesk = stage.lane === 'desk';
  const [program, ...args] = atDesk ? ['nice', '-n', '15', ...command] : command;
  const output = atDesk ? openSync(outputFile, 'w') : 'inherit';
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: ROOT, stdio: ['ignore', output, output], detached: true });
    running.add(child);
    if (atDesk) giveWay(child.pid);
    const limit = setTimeout(() => {
      progress(`${stage.name}: stopped after ${stage.limitSecs} s`);
      endGroup(child);
    }, stage.limitSecs * 1000);
    const finish = (problem) => {
      clearTimeout(limit);
      running.delete(child);
      if (atDesk) {
        closeSync(output);
        process.stdout.write(readFileSync(outputFile));
      }
      resolve(problem);
    };
    child.on('error', (error) => finish(error.message));
    child.on('close', (code, signal) => finish(code === 0 ? undefined : `ended with ${signal ?? `exit code ${code}`}`));
  });
}

/**
 * A process group of its own is a group of its own to the kernel's scheduler too, which then shares the processors between
 * groups, whatever their processes' niceness (sched(7), autogroup). This one takes a quarter of what the others take.
 */
function giveWay(pid) {
  try {
    writeFileSync(`/proc/${pid}/autogroup`, '6');
  } catch {
    // This kernel has no such groups; niceness counts.
  }
}

/** Ends the group of a stage: politely, so that labs take their namespaces down, then for good. */
function endGroup(child) {
  const send = (signal) => {
    try {
      process.kill(-child.pid, signal);
    } catch {
      // The group is gone.
    }
  };
  send('SIGTERM');
  setTimeout(() => send('SIGKILL'), 5000).unref();
}

/** Compiles what the tests run, beside the add-ons; nothing when only checks are asked for. */
async function prepareTests(stages, build) {
  if (stages.every((stage) => stage.isCheck)) return;
  const compile = async () => {
    if (build) await ensureBuilt(ROOT);
    if (stages.some((stage) => stage.compiled)) await compileTests(ROOT);
  };
  await Promise.all([ensureAddons(ROOT), compile()]);
}

async function main() {
  const filters = process.argv.slice(2);
  const stages = selectStages(filters);
  if (stages.length === 0) throw new Error(`No stage and no test file matches: ${filters.join(' ')}`);
  const programs = stages.some((stage) => stage.programs);
  await install({ tests: programs });
  mkdirSync(join(ROOT, '.cache'), { recursive: true });
  const reportDir = mkdtempSync(join(tmpdir(), 'portcullis-test-'));
  const totals = { ...noResults(), failed: strayTests(), checks: 0 };
  const run = async (stage) => {
    if (interrupted) return;
    progress(`${stage.name}: starts`);
    const start = Date.now();
    const { passed, failed, skipped } = await runStage(stage, reportDir);
    totals.passed += passed;
    totals.failed.push(...failed);
    totals.skipped.push(...skipped);
    if (stage.isCheck && failed.length === 0) totals.checks++;
    const counts = stage.isCheck
      ? failed.length === 0
        ? 'ok'
        : 'failed'
      : `${passed} passed, ${failed.length} failed`;
    progress(`${stage.name}: ${counts} in ${((Date.now() - start) / 1000).toFixed(1)} s`);
  };
  const inOrder = async (queue) => {
    for (let stage = queue.shift(); stage !== undefined; stage = queue.shift()) await run(stage);
  };
  const lane = (name, wanted = () => true) => stages.filter((stage) => stage.lane === name && wanted(stage));
  const ready = prepareTests(stages, programs);
  const desk = async () => {
    // Checks read sources only: they need not wait for what is compiled.
    const checks = lane('desk', (stage) => stage.isCheck);
    await Promise.all(Array.from({ length: CHECKS_AT_A_TIME }, () => inOrder(checks)));
    await ready;
    await inOrder(lane('desk', (stage) => !stage.isCheck));
  };
  await Promise.all([desk(), ready.then(() => inOrder(lane('lab')))]);
  await inOrder(lane('alone'));
  rmSync(reportDir, { recursive: true });
  const { lines, failures } = summarise(totals, { ci: process.env.CI === 'true', root: ROOT });
  for (const line of lines) console.log(line);
  return failures > 0 ? 1 : 0;
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    interrupted = true;
    const children = [...running];
    if (children.length === 0) process.exit(130);
    for (const child of children) {
      endGroup(child);
      child.on('close', () => {
        if (running.size === 0) process.exit(130);
      });
    }
  });
}
await runScript(main);
