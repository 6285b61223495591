import type { SystemProblem } from '../../contract/http.js';

const KEPT = 20;
const KEEP_MS = 86_400_000;

/** What went wrong in the daemons lately, for the status that the console shows. */
export interface ProblemList {
  add(problem: SystemProblem): void;
  /** Of the last day, newest first; of the same thing told again and again only the newest. */
  list(nowMs: number): SystemProblem[];
}

export function createProblemList(): ProblemList {
  let problems: SystemProblem[] = [];
  return {
    add(problem) {
      const isSame = (p: SystemProblem): boolean => p.component === problem.component && p.code === problem.code;
      problems = [problem, ...problems.filter((p) => !isSame(p))].slice(0, KEPT);
    },
    list: (nowMs) => problems.filter((p) => nowMs - p.atMs < KEEP_MS),
  };
}
