import { errorText, shorten } from './failure-text.mjs';

/** Kept of what a file says on standard error, in characters: it tells why a file that could not be loaded failed. */
const STDERR_KEPT = 8192;

/** Reporter for `node --test`: one JSON line a finished test, for lib/results.mjs. */
export default async function* report(source) {
  const stderr = new Map();
  for await (const { type, data } of source) {
    if (type === 'test:stderr') {
      stderr.set(data.file, `${stderr.get(data.file) ?? ''}${data.message}`.slice(-STDERR_KEPT));
    }
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const { name, file, skip, todo, details } = data;
    const kind = details?.type ?? 'test';
    const failure = details?.error?.failureType;
    const detail = type === 'test:fail' ? failureText(data, stderr.get(file)) : undefined;
    yield `${JSON.stringify({ type, name, file, skip, todo, kind, failure, detail })}\n`;
  }
}

function failureText({ name, file, details }, stderr) {
  const after = `after ${((details?.duration_ms ?? 0) / 1000).toFixed(1)} s: `;
  const { cause, exitCode, signal } = details?.error ?? {};
  if (name !== file) return after + errorText(cause ?? details?.error);
  const end = signal ?? (exitCode === undefined ? undefined : `exit code ${exitCode}`);
  return shorten(`${after}${cause}${end === undefined ? '' : `, ${end}`}\n${stderr ?? ''}`);
}
