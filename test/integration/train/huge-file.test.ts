import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { createRandom } from '../../../src/train/random.js';
import { nodeArgs } from '../../support/program.js';

/** Cells a row: what has to be kept of one is 320 bytes. */
const COLUMNS = 80;
const DISTINCT_ROWS = 1000;
/** Rows of the large table: 41 MB of text, 48 MB as numbers in memory and more while they grow. */
const ROWS = 150_000;
/** Rows that training keeps: 1.3 MB. */
const KEPT = 4096;
/** What the large table may take beyond the small one (measured: 5 in training, 40 in evaluation; all rows: 130). */
const ALLOWED_MIB = 75;

const dir = mkdtempSync(join(tmpdir(), 'portcullis-huge-'));
after(() => rmSync(dir, { recursive: true, force: true }));

/** A CIC-style table of `rows` rows, the same thousand over and over. */
function table(name: string, rows: number): string {
  const random = createRandom(1);
  const lines = Array.from({ length: DISTINCT_ROWS }, (_, r) => {
    const isAttack = r % 3 === 0;
    const cells = Array.from({ length: COLUMNS }, () => random.below(90) + (isAttack ? 60 : 0) + 10);
    return `${cells.join(',')},${isAttack ? 'DoS' : 'BENIGN'}\n`;
  });
  const header = `${Array.from({ length: COLUMNS }, (_, c) => `c${c}`).join(',')},Label\n`;
  const path = join(dir, name);
  writeFileSync(path, gzipSync(header + lines.join('').repeat(rows / DISTINCT_ROWS), { level: 1 }));
  return path;
}

/** Most memory that `portcullis` ever had resident, MiB. */
async function peakMiB(...args: string[]): Promise<number> {
  const tell = 'process.on("exit",()=>process.stderr.write(`peak ${process.resourceUsage().maxRSS} KiB\\n`))';
  const preload = ['--import', `data:text/javascript,${encodeURIComponent(tell)}`];
  const child = spawn(process.execPath, [...preload, ...nodeArgs('src/cli/main.ts'), ...args]);
  let stderr = '';
  child.stderr.on('data', (d) => (stderr += String(d)));
  child.stdout.resume();
  const [code] = (await once(child, 'close')) as [number];
  assert.equal(code, 0, stderr);
  return Number(/peak (\d+) KiB/.exec(stderr)?.[1]) / 1024;
}

test('training and evaluation take memory for the rows they keep, not for the file', async () => {
  const [small, large] = [table('small.csv.gz', 5000), table('large.csv.gz', ROWS)];
  const model = join(dir, 'model');
  const train = (data: string, maxRows: number): Promise<number> =>
    peakMiB(
      ...['train', '--algorithm', 'isolation-forest', '--trees', '2', '--out', model],
      ...['--data', data, '--max-rows', String(maxRows)],
    );
  const whole = await train(large, ROWS);
  const trained = { small: await train(small, KEPT), large: await train(large, KEPT) };
  const judged = await peakMiB('evaluate', '--model', model, '--data', large);
  assert.ok(trained.large - trained.small < ALLOWED_MIB, `training: ${trained.small} and ${trained.large} MiB`);
  assert.ok(judged - trained.small < ALLOWED_MIB, `evaluation: ${judged} MiB`);
  // A run that is told to keep all rows is over the bound, so the bound would notice.
  assert.ok(whole - trained.small > ALLOWED_MIB, `all rows in memory: ${whole} MiB`);
});
