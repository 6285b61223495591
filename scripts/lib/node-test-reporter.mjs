/** Reporter for `node --test`: one JSON line a finished test, for lib/results.mjs. */
export default async function* report(source) {
  for await (const { type, data } of source) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const { name, file, skip, todo, details } = data;
    const kind = details?.type ?? 'test';
    yield `${JSON.stringify({ type, name, file, skip, todo, kind, failure: details?.error?.failureType })}\n`;
  }
}
