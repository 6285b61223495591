/** Bad input to training, evaluation or scoring, and the test that shows what comes of it. */
export interface BadInput {
  input: string;
  /** What people read, and what stays as it was. */
  outcome: string;
  /** Test files without `test/` and `.test.ts`, each with the beginning of the test's name. */
  tests: readonly (readonly [file: string, name: string])[];
}

const [BUNDLE, READERS, RUNS] = ['unit/train/bundle', 'unit/train/readers', 'integration/train/bad-runs'];

export const BAD_INPUT: readonly BadInput[] = [
  {
    input: 'wrong columns',
    outcome: 'refused before anything is trained; the message names the columns that lack',
    tests: [
      [READERS, "a table without the schema's columns is refused"],
      [READERS, 'files of different schemas are not mixed'],
      [RUNS, 'a base table without the columns is refused'],
    ],
  },
  {
    input: 'NaN, infinite, empty cells',
    outcome:
      'the row is refused and counted by its reason (`--missing keep` keeps NaN); a file without any usable row is refused',
    tests: [
      [READERS, 'every bad row is refused and counted'],
      ['unit/train/parquet', 'missing and infinite cells are refused'],
    ],
  },
  {
    input: 'empty class, one class only',
    outcome: '`train.empty_class`, `train.one_class`, `train.no_benign`; no folder is written',
    tests: [
      ['unit/train/split', 'one class only, no benign rows and an empty class'],
      [BUNDLE, 'the command line trains, evaluates'],
      [RUNS, 'a base table of one class teaches nothing'],
    ],
  },
  {
    input: 'huge file',
    outcome:
      'streamed: memory follows `--max-rows`, not the file, in training and in evaluation (peak of the child measured)',
    tests: [
      ['integration/train/huge-file', 'training and evaluation take memory for the rows they keep'],
      [READERS, 'beyond the row limit a uniform sample is kept'],
    ],
  },
  {
    input: 'damaged or missing file',
    outcome: 'refused by name; the run ends as failed, the champion stays',
    tests: [
      [READERS, 'gzip is read, a damaged or missing file'],
      [RUNS, 'a base table cut short is refused'],
      [RUNS, 'a base table that is not there is named'],
    ],
  },
  {
    input: 'corrupt ONNX',
    outcome: 'the scoring worker refuses the model with the reason; the model before it goes on scoring',
    tests: [
      ['unit/detect/classify/scorer', 'an onnx file that does not do what its card says'],
      ['unit/detect/classify/scorer', 'a hot swap loses no row and a refused model leaves the old one'],
      [BUNDLE, 'a broken bundle is not promoted'],
    ],
  },
  {
    input: 'card and model disagree',
    outcome: '`model.mismatch`, also where every hash fits; neither loaded, nor promoted, nor trained against',
    tests: [
      [BUNDLE, 'each way in which card and files can disagree'],
      [BUNDLE, 'a card beside another model'],
      [RUNS, 'a champion whose card and model disagree'],
    ],
  },
  {
    input: 'disk full during training',
    outcome:
      '`training.disk_full` or `model.disk_full`; the model that was there is still there, nothing half-done is left',
    tests: [
      [RUNS, 'a full disk ends the run'],
      [BUNDLE, 'a full disk is reported'],
    ],
  },
  {
    input: 'killed during training',
    outcome: 'the run says so and leaves nothing; a run under way when the server dies is reported at the next start',
    tests: [
      [BUNDLE, 'training killed in the middle'],
      [RUNS, 'a run whose process is killed'],
      ['integration/train/cycle', 'a run under way when the server dies'],
    ],
  },
];

export function badInputSection(): string {
  const rows = BAD_INPUT.map(
    ({ input, outcome, tests }) =>
      `| ${input} | ${outcome} | ${tests.map(([file, name]) => `\`${file}\` "${name} ..."`).join('; ')} |`,
  );
  return `## Bad input

What is refused, how, and the test that shows it. None of them replaces or loses anything.

| input | what comes of it | tests |
| --- | --- | --- |
${rows.join('\n')}
`;
}
