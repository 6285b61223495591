import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { inlineModeSchema, type InlineMode } from '../../contract/inline.js';

const schema = z.object({
  mode: inlineModeSchema,
  policies: z.array(z.unknown()),
  exempt: z.array(z.string()),
});

/** What the server said last: in force again after a restart, also when the server is dead. */
export interface InlineMemory {
  mode: InlineMode;
  policies: unknown[];
  exempt: string[];
}

const FILE = 'told.json';

export function recall(dir: string): InlineMemory {
  try {
    return schema.parse(JSON.parse(readFileSync(join(dir, FILE), 'utf8')));
  } catch {
    // The first start, or a damaged file: nothing is dropped before the server has spoken.
    return { mode: 'observe', policies: [], exempt: [] };
  }
}

export function remember(dir: string, memory: InlineMemory): void {
  const file = join(dir, FILE);
  writeFileSync(`${file}.new`, JSON.stringify(memory), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
