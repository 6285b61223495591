/** One line of a comparison; line numbers are 1-based and present where the line exists. */
export interface DiffLine {
  op: 'same' | 'added' | 'removed';
  text: string;
  fromLine?: number;
  toLine?: number;
}

/** Above this many cells the differing middle is reported as removed and added as a whole. */
const MAX_CELLS = 4_000_000;

/** Compares two texts line by line: the longest common sequence stays, everything else is removed or added. */
export function diffLines(from: string, to: string): DiffLine[] {
  const a = splitLines(from);
  const b = splitLines(to);
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const lines: DiffLine[] = [];
  const same = (i: number, j: number): void => {
    lines.push({ op: 'same', text: a[i]!, fromLine: i + 1, toLine: j + 1 });
  };
  for (let i = 0; i < start; i++) same(i, i);
  const steps = walk(a.slice(start, a.length - end), b.slice(start, b.length - end));
  let i = start;
  let j = start;
  for (const op of steps) {
    if (op === 'same') same(i++, j++);
    else if (op === 'removed') lines.push({ op, text: a[i]!, fromLine: ++i });
    else lines.push({ op, text: b[j]!, toLine: ++j });
  }
  for (let k = end; k > 0; k--) same(a.length - k, b.length - k);
  return lines;
}

function splitLines(text: string): string[] {
  if (text === '') return [];
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** Steps through the differing middle, by the table of longest common sequences from the end. */
function walk(a: readonly string[], b: readonly string[]): DiffLine['op'][] {
  const width = b.length + 1;
  if ((a.length + 1) * width > MAX_CELLS) return [...a.map(() => 'removed' as const), ...b.map(() => 'added' as const)];
  const longest = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const at = i * width + j;
      longest[at] = a[i] === b[j] ? longest[at + width + 1]! + 1 : Math.max(longest[at + width]!, longest[at + 1]!);
    }
  }
  const steps: DiffLine['op'][] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      steps.push('same');
      i++;
      j++;
    } else if (j >= b.length || (i < a.length && longest[(i + 1) * width + j]! >= longest[i * width + j + 1]!)) {
      steps.push('removed');
      i++;
    } else {
      steps.push('added');
      j++;
    }
  }
  return steps;
}
