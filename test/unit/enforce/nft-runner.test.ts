import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test, { after } from 'node:test';
import { createNftRunner } from '../../../src/enforce/backend/nft.js';

const dir = mkdtempSync(join(tmpdir(), 'nft-runner-'));
after(() => rmSync(dir, { recursive: true }));

/** Stands in for nft: notes the script and where it lay. */
const program = join(dir, 'nft.sh');
writeFileSync(program, `#!/bin/sh\ncp "$2" ${dir}/script\necho "$2" > ${dir}/where\n`, { mode: 0o755 });

test('a script that fits nowhere on the disk is loaded all the same, and nothing of it is left', async () => {
  const before = process.env['TMPDIR'];
  try {
    for (const [folder, isUsed] of [
      [dir, true],
      [join(dir, 'none'), false],
    ] as const) {
      process.env['TMPDIR'] = folder;
      const nft = createNftRunner({ program });
      await nft.load(`add table inet ${isUsed}\n`);
      const where = readFileSync(join(dir, 'where'), 'utf8').trim();
      assert.equal(where.startsWith(`${folder}/`), isUsed, where);
      assert.equal(readFileSync(join(dir, 'script'), 'utf8'), `add table inet ${isUsed}\n`);
      assert.ok(!existsSync(where));
      nft.close();
      assert.ok(!existsSync(dirname(where)));
    }
  } finally {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
  }
});

test('a program that is not there is told as one, with what to do', async () => {
  const nft = createNftRunner({ program: join(dir, 'no-nft') });
  await assert.rejects(nft.run(['--version']), {
    code: 'enforce.nft_missing',
    message: /the program .*no-nft is not there/,
    fix: /apt install nftables/,
  });
});
