import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorMessage } from '../util/errors.js';
import { createNftRunner } from './backend/nft.js';
import { hasJournal, writeBreakGlass } from './journal.js';
import type { EnforceOptions } from './options.js';

/** What the break-glass command did. */
export interface FlushResult {
  /** The table was removed from the kernel. */
  removed: boolean;
  /** Why it was not. */
  error?: string;
  /** A responder has worked with this state folder. */
  known: boolean;
  /** The folder is marked: no responder brings its blocks back. */
  marked: boolean;
}

type Where = { netns?: string };
type FlushOptions = Pick<EnforceOptions, 'state_dir' | 'table' | 'bridge'>;

/**
 * Lifts everything at once, with server and responder dead or alive: marks the state folder, so that no responder
 * brings the blocks back, then removes the table. A running responder notices the mark, forgets its decisions, reports
 * them as revoked and loads an empty table.
 */
export async function flushAll(options: FlushOptions, where: Where = {}): Promise<FlushResult> {
  const known = hasJournal(options.state_dir);
  const marked = mark(options.state_dir);
  const nft = createNftRunner(where);
  try {
    const families = options.bridge ? ['inet', 'bridge'] : ['inet'];
    await nft.load(
      families.map((f) => `add table ${f} ${options.table}\ndelete table ${f} ${options.table}\n`).join(''),
    );
    return { removed: true, known, marked };
  } catch (error) {
    return { removed: false, error: errorMessage(error), known, marked };
  } finally {
    nft.close();
  }
}

/** A mark that cannot be written, on a full disk or without the right, keeps nothing from being lifted. */
function mark(dir: string): boolean {
  try {
    // Where no responder ever was there is nothing to mark.
    if (!existsSync(dir)) return false;
    writeBreakGlass(dir);
    return true;
  } catch {
    return false;
  }
}

/** A responder that was not told puts its table back within this time. */
const HEAL_MS = 1500;
/** Sets that drop or limit; the others exempt or count. */
const BLOCKING = /^(block|feed|svc|svcout|slow|out|flow)/;

/** After a flush: whether something is blocked again, by new decisions or by a responder that was not told. */
export async function isBlockingAgain({ table }: Pick<FlushOptions, 'table'>, where: Where = {}): Promise<boolean> {
  await sleep(HEAL_MS);
  const nft = createNftRunner(where);
  try {
    const { nftables } = JSON.parse(await nft.run(['-j', 'list', 'table', 'inet', table])) as {
      nftables: { set?: { name: string; elem?: unknown[] } }[];
    };
    return nftables.some(({ set }) => set && BLOCKING.test(set.name) && (set.elem?.length ?? 0) > 0);
  } catch {
    // No table, no block.
    return false;
  } finally {
    nft.close();
  }
}
