import { parentPort, workerData } from 'node:worker_threads';
import { setThreadPriority } from '../../util/priority.js';
import { refreshIntel, type RefreshInput } from './refresh.js';

// Fetching and parsing millions of lines must not hold up a decision.
setThreadPriority(10);

/** One refresh in a thread of its own. */
const result = await refreshIntel(workerData as RefreshInput, new AbortController().signal);
parentPort?.postMessage(result);
