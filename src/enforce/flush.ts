import { errorMessage } from '../util/errors.js';
import { createNftRunner } from './backend/nft.js';
import { writeBreakGlass } from './journal.js';
import type { EnforceOptions } from './options.js';

/** What the break-glass command did. */
export interface FlushResult {
  /** The table was removed from the kernel. */
  removed: boolean;
  /** Why it was not. */
  error?: string;
}

/**
 * Lifts everything at once, with server and responder dead or alive: marks the state folder, so that no responder
 * brings the blocks back, then removes the table. A running responder notices the mark, forgets its decisions, reports
 * them as revoked and loads an empty table.
 */
export async function flushAll(
  options: Pick<EnforceOptions, 'state_dir' | 'table' | 'bridge'>,
  where: { netns?: string } = {},
): Promise<FlushResult> {
  writeBreakGlass(options.state_dir);
  const nft = createNftRunner(where);
  try {
    const families = options.bridge ? ['inet', 'bridge'] : ['inet'];
    await nft.load(
      families.map((f) => `add table ${f} ${options.table}\ndelete table ${f} ${options.table}\n`).join(''),
    );
    return { removed: true };
  } catch (error) {
    return { removed: false, error: errorMessage(error) };
  } finally {
    nft.close();
  }
}
