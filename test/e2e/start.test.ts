import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import test from 'node:test';
import { pidsIn } from '../lab/netns.js';
import { openLab } from '../lab/lab.js';
import { waitFor } from '../lab/wait.js';

/** That of the project, wherever this test runs: it builds what is not built. */
const START = resolve('scripts/start.mjs');

test('npm start passes its arguments on, says where the console is, and ends cleanly with its daemons on SIGTERM', async () => {
  const lab = await openLab({});
  try {
    const { router } = lab.hosts;
    const file = join(lab.dir, 'portcullis.yaml');
    writeFileSync(file, JSON.stringify({ data_dir: join(lab.dir, 'data'), enforce: { on_stop: 'flush' } }));
    const start = router.start(process.execPath, [START, '--config', file, '--interface', 'wan0']);
    await start.waitForOutput(/running in observe mode/, 120_000);
    assert.match(start.output, /Console: http:\/\/127\.0\.0\.1:8443/);
    assert.match(start.output, /First login: admin/);
    await start.waitForOutput(/"interface":"wan0"/, 120_000);
    const pids = pidsIn(router.netns);
    assert.equal(pids.length, 5, 'start, supervisor and three daemons');
    process.kill(start.pid, 'SIGHUP');
    await start.waitForOutput(/SIEM destinations were read again/, 120_000);
    assert.deepEqual(pidsIn(router.netns), pids, 'a hangup without a terminal is the word to reload');
    process.kill(start.pid, 'SIGTERM');
    const ended = await start.ended;
    assert.equal(ended.code, 0, ended.stderr);
    await waitFor('every process is gone', () => pids.every((pid) => !existsSync(`/proc/${pid}`)));
  } finally {
    await lab.close();
  }
});

test('npm start ends with the exit code of what it runs', async () => {
  const lab = await openLab({});
  try {
    const ended = await lab.hosts.router.run(process.execPath, [START, '--config', join(lab.dir, 'nothing.yaml')]);
    assert.equal(ended.code, 1, ended.stderr);
    assert.match(ended.stderr, /nothing\.yaml/);
  } finally {
    await lab.close();
  }
});
