import { loadCLibrary } from '../../util/c-library.js';

const TIMEX_BYTES = 208;
const TIME_ERROR = 5;

/** Asks the kernel (adjtimex(2)) whether its clock is synchronised; undefined when it cannot be asked. */
export function isClockSynchronised(): boolean | undefined {
  try {
    const adjtimex = loadCLibrary().func('int adjtimex(void *)') as (timex: Buffer) => number;
    const state = adjtimex(Buffer.alloc(TIMEX_BYTES));
    return state < 0 ? undefined : state !== TIME_ERROR;
  } catch {
    return undefined;
  }
}
