export { openBundle, writeBundle, type Bundle } from './bundle.js';
export { binnedKs, DRIFT_ALARM, DRIFT_MIN_ROWS, DRIFT_NOTE, sharesOf, stabilityIndex } from './evaluate/drift.js';
export {
  challengeResultSchema,
  runChallenge,
  challengeOptionsSchema,
  type ChallengeOptions,
  type ChallengeResult,
} from './lifecycle/challenge.js';
export { liveVectorSchema, type LiveVector } from './lifecycle/challenge-data.js';
export { trainingOptionsSchema, type TrainingOptions } from './lifecycle/options.js';
export { flowClass } from './table/flow-classes.js';
export { evaluateModel, type Evaluation } from './evaluate-model.js';
export { GATE_DEFAULTS, judgeChallenger, type GateInput, type GateReport, type GateSet } from './lifecycle/gate.js';
export { labelWeights, type WeighedLabel } from './lifecycle/labels.js';
export { createRegistry, type HistoryEntry, type ModelRegistry, type RegisteredModel } from './lifecycle/registry.js';
export { trainInChild } from './lifecycle/train-child.js';
export { createRandom } from './random.js';
export { createTableBuilder } from './table/builder.js';
export { BOOSTING_DEFAULTS, trainBoosting } from './trees/boosting.js';
export { openSession, scoreRows, type Scores } from './onnx/session.js';
export { trainOptionsSchema, type TrainOptions } from './options.js';
export { readTables, type FileReport } from './table/read-tables.js';
export type { Table } from './table/table.js';
export { runTrainer, trainModel, trainOnTable, type TrainHooks } from './train-model.js';
