import assert from 'node:assert/strict';
import { it } from 'node:test';
import { loadConfig } from '../../../src/config/index.js';
import { openExempt } from '../../../src/daemons/server/exempt.js';
import type { Outlets } from '../../../src/daemons/server/outlets.js';
import type { AllowEntry } from '../../../src/domain/decision.js';
import type { Store } from '../../../src/store/index.js';
import type { Logger } from '../../../src/util/logger.js';

const quiet = { debug() {}, info() {}, warn() {}, error() {} } as unknown as Logger;
const entry = (id: string, value: string): AllowEntry => ({
  id,
  value,
  owner: 'ops',
  comment: '',
  createdMs: 0,
  expiresMs: 0,
});

it('tells responders the addresses of allowed names, which their sandbox may not be able to look up', async () => {
  let allowed = [entry('1', 'localhost'), entry('2', '192.0.2.7')];
  const told: string[][] = [];
  let onTold = (): void => undefined;
  const store = {
    settings: { get: () => Promise.resolve(undefined), set: () => Promise.resolve() },
    allowlist: { active: () => Promise.resolve(allowed) },
  } as unknown as Store;
  const outlets = {
    toResponders(command: { type: string; entries: AllowEntry[] }) {
      if (command.type === 'allow') told.push(command.entries.map((e) => e.value));
      onTold();
    },
  } as unknown as Outlets;
  const resolved = new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error('never told'));
    }, 5000);
    onTold = () => {
      if (!told.at(-1)?.some((value) => value === '127.0.0.1' || value === '::1')) return;
      clearTimeout(timer);
      resolve();
    };
  });
  const exempt = await openExempt(await loadConfig(), { store, outlets, log: quiet });
  try {
    await resolved;
    const now = exempt.allowed().map((e) => e.value);
    assert.ok(now.includes('localhost') && now.includes('192.0.2.7'));
    assert.ok(now.includes('127.0.0.1') || now.includes('::1'));
    assert.equal(new Set(now).size, now.length, 'each once');
    allowed = [entry('2', '192.0.2.7')];
    await exempt.refresh();
    assert.deepEqual(told.at(-1), ['192.0.2.7'], 'the addresses go with the name');
  } finally {
    exempt.close();
  }
});
