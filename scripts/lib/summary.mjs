/** In CI a test may be skipped because it makes no sense there, never because something is missing or nobody knows why. */
const FORBIDDEN_SKIPS =
  /not installed|missing|not found|cannot be|needs |not yet|to do:|no reason given|: (skipped|pending|todo)$/i;
/** Lines that the reasons of all failures may take together, in about: of a long log only the end is kept. */
const DETAIL_LINES = 240;
const MIN_DETAIL_LINES = 3;

/**
 * The end of the log of `npm test`: what was skipped, what failed and why, and as the last line the counts.
 * @param totals results of all stages, with the number of `checks` that passed.
 * @param ci a test that was skipped because something is missing is a failure.
 * @param root the project's folder; paths are told from there.
 * @returns the lines, and the number of failures.
 */
export function summarise(totals, { ci, root }) {
  const failed = [...totals.failed];
  const forbidden = totals.skipped.filter((reason) => FORBIDDEN_SKIPS.test(reason));
  if (ci) failed.push(...forbidden.map((reason) => ({ test: `skipped, which CI does not allow: ${reason}` })));
  if (totals.passed === 0 && failed.length === 0 && totals.checks === 0) failed.push({ test: 'no test ran' });
  const most = Math.max(MIN_DETAIL_LINES, Math.floor(DETAIL_LINES / failed.length));
  const lines = [
    ...totals.skipped.map((reason) => `skipped: ${reason}`),
    ...failed.flatMap(({ test, detail }) => [`FAILED: ${test}`, ...indented(detail, most)]),
  ].map((line) => line.replaceAll(`file://${root}/`, '').replaceAll(`${root}/`, ''));
  const skipped = totals.skipped.length > 0 ? `, ${totals.skipped.length} skipped` : '';
  return { lines: [...lines, `${totals.passed} passed, ${failed.length} failed${skipped}`], failures: failed.length };
}

function indented(detail, most) {
  if (detail === undefined || detail === '') return [];
  return detail
    .split('\n')
    .slice(0, most)
    .map((line) => `    ${line}`);
}
