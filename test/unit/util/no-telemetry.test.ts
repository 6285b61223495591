import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';

const MODEL = resolve('models/flow-classifier/model.onnx');

/** What a program that opens a model leaves in the home folder. */
function leftInHome(program: string): string[] {
  const home = mkdtempSync(join(tmpdir(), 'home-'));
  try {
    // Nothing but the path: variables of build services, for instance CI, silence it too.
    const args = ['--import', 'tsx', '--input-type=module', '-e', program];
    execFileSync(process.execPath, args, { env: { PATH: process.env['PATH'], HOME: home }, stdio: 'ignore' });
    return readdirSync(home, { recursive: true, encoding: 'utf8' }).filter((name) => /device/.test(name));
  } finally {
    rmSync(home, { recursive: true });
  }
}

describe('ONNX Runtime', () => {
  it('keeps no device id and sends nothing home when we load it', () => {
    const ours = `
      import { readFileSync } from 'node:fs';
      import { openSession } from ${JSON.stringify(resolve('src/train/onnx/session.ts'))};
      await openSession(readFileSync(${JSON.stringify(MODEL)}));`;
    assert.deepEqual(leftInHome(ours), []);
  });

  it('does so by itself otherwise, so the test above can fail', () => {
    const bare = `import { InferenceSession } from 'onnxruntime-node'; await InferenceSession.create(${JSON.stringify(MODEL)});`;
    assert.notDeepEqual(leftInHome(bare), []);
  });
});
