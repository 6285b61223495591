import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { upgradeCases } from './upgrade-cases.js';

const dir = mkdtempSync(join(tmpdir(), 'upgrade-'));
let files = 0;
after(() => {
  rmSync(dir, { recursive: true });
});
upgradeCases('SQLite', () => Promise.resolve({ kind: 'sqlite', path: join(dir, `${files++}.db`) }));
