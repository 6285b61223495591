import { open, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

/** The lanes in the order in which they are sent. */
export const LANES = ['first', 'normal', 'low'] as const;
export type LaneName = (typeof LANES)[number];

/** Per lane the sequence number that comes next. */
export type Position = Record<LaneName, number>;

const lanes = { first: z.number(), normal: z.number(), low: z.number() };
const cursorSchema = z.object({ version: z.literal(1), ...lanes, since: z.object(lanes).optional() });

/** What a cursor file says. */
export interface Cursor {
  position: Position;
  /** Where the destination began: what is older was never meant for it. */
  since: Position;
}

const SUFFIX = '.cursor.json';

/** All cursors on disk by destination; one that cannot be read is `damaged`. */
export async function loadCursors(dir: string): Promise<Map<string, Cursor | 'damaged'>> {
  const found = new Map<string, Cursor | 'damaged'>();
  for (const name of await readdir(dir)) {
    if (!name.endsWith(SUFFIX)) continue;
    found.set(name.slice(0, -SUFFIX.length), await readCursor(join(dir, name)));
  }
  return found;
}

async function readCursor(path: string): Promise<Cursor | 'damaged'> {
  try {
    const { first, normal, low, since } = cursorSchema.parse(JSON.parse(await readFile(path, 'utf8')));
    return { position: { first, normal, low }, since: since ?? { first: 0, normal: 0, low: 0 } };
  } catch {
    return 'damaged';
  }
}

/** Replaces a cursor in one step: after a crash the file holds the old position or the new one. */
export async function saveCursor(dir: string, destination: string, { position, since }: Cursor): Promise<void> {
  const path = join(dir, destination + SUFFIX);
  const handle = await open(`${path}.tmp`, 'w', 0o640);
  try {
    await handle.writeFile(`${JSON.stringify({ version: 1, ...position, since })}\n`);
    await handle.datasync();
  } finally {
    await handle.close();
  }
  await rename(`${path}.tmp`, path);
}
