import { parentPort } from 'node:worker_threads';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { errorMessage } from '../../util/errors.js';
import type { BatchScores, FromWorker, ToWorker, WorkerModel } from './messages.js';
import { setThreadPriority } from '../../util/priority.js';

// The thread that decides goes first.
setThreadPriority(5);

/**
 * The scoring worker: holds the ONNX sessions, because `session.run` blocks the thread that calls it. Batches are
 * answered in the order in which they came.
 */

/** Reported rows of one batch whose feature shares are measured by occlusion; the rest go without. */
const OCCLUDED_ROWS = 8;

/** Batches are filled up to a multiple of this: matrix kernels round a row differently when it is left over. */
const ROW_BLOCK = 4;

interface LiveModel extends WorkerModel {
  session: InferenceSession;
}

const models = new Map<number, LiveModel>();
let queue: Promise<void> = Promise.resolve();

function post(message: FromWorker): void {
  parentPort?.postMessage(message);
}

async function load(model: WorkerModel): Promise<void> {
  try {
    const session = await InferenceSession.create(model.onnx, {
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      logSeverityLevel: 3,
    });
    if (!session.inputNames.includes('x') || !session.outputNames.includes('score')) {
      throw new Error('model.onnx has no input "x" or no output "score"');
    }
    const live = { ...model, session };
    // Warm both ends of the batch size, and find a model whose width is not what the card says.
    for (const rows of [1, 128]) {
      await run(live, new Float32Array(rows * model.features), rows);
    }
    models.set(model.key, live);
    post({ type: 'loaded', key: model.key });
  } catch (error) {
    post({ type: 'refused', key: model.key, reason: errorMessage(error) });
  }
}

async function run(model: LiveModel, x: Float32Array, rows: number): Promise<BatchScores> {
  const padded = Math.ceil(rows / ROW_BLOCK) * ROW_BLOCK;
  const values = new Float32Array(padded * model.features);
  values.set(x.subarray(0, rows * model.features));
  const result = await model.session.run({ x: new Tensor('float32', values, [padded, model.features]) });
  const floats = (name: string, width: number): Float32Array | undefined => {
    const data = result[name]?.data;
    if (!(data instanceof Float32Array)) return undefined;
    if (data.length !== padded * width) throw new Error(`output "${name}" of model.onnx is not as card.json says`);
    return data.slice(0, rows * width);
  };
  const score = floats('score', 1);
  if (!score) throw new Error('model.onnx has no output "score"');
  const novelty = floats('novelty', 1);
  const shares = floats('feature_error', model.features);
  return {
    key: model.key,
    score,
    attackClass: likeliestAttack(floats('probabilities', model.classes), rows, model.classes),
    ...(novelty ? { novelty } : {}),
    ...(shares ? { shares } : {}),
  };
}

function likeliestAttack(probabilities: Float32Array | undefined, rows: number, classes: number): Uint8Array {
  const out = new Uint8Array(rows).fill(1);
  if (!probabilities) return out;
  for (let r = 0; r < rows; r++) {
    let best = 1;
    for (let c = 2; c < classes; c++) {
      if (probabilities[r * classes + c]! > probabilities[r * classes + best]!) best = c;
    }
    out[r] = best;
  }
  return out;
}

/** How much of a row's score goes away when each feature is made usual, one by one. */
async function occlude(model: LiveModel, x: Float32Array, scores: BatchScores): Promise<void> {
  const { features } = model;
  let left = OCCLUDED_ROWS;
  for (let r = 0; r < scores.score.length && left > 0; r++) {
    if (scores.score[r]! < model.threshold) continue;
    left--;
    const variants = new Float32Array(features * features);
    for (let f = 0; f < features; f++) {
      variants.set(x.subarray(r * features, (r + 1) * features), f * features);
      variants[f * features + f] = model.usual[f]!;
    }
    const { score } = await run(model, variants, features);
    scores.shares ??= new Float32Array(scores.score.length * features);
    for (let f = 0; f < features; f++) scores.shares[r * features + f] = scores.score[r]! - score[f]!;
  }
}

async function score(message: Extract<ToWorker, { type: 'score' }>): Promise<void> {
  const { rows, columns } = message;
  const x = new Float32Array(message.x, 0, rows * columns);
  const results: BatchScores[] = [];
  for (const key of message.keys) {
    const model = models.get(key);
    if (!model) continue;
    try {
      const scores = await run(model, x, rows);
      if (model.occlude) await occlude(model, x, scores);
      results.push(scores);
    } catch (error) {
      results.push({ key, score: new Float32Array(0), attackClass: new Uint8Array(0), error: errorMessage(error) });
    }
  }
  post({ type: 'scored', batch: message.batch, results });
}

parentPort?.on('message', (message: ToWorker) => {
  switch (message.type) {
    case 'load':
      void load(message.model);
      break;
    case 'unload':
      queue = queue.then(() => models.get(message.key)?.session.release()).then(() => void models.delete(message.key));
      break;
    case 'score':
      queue = queue.then(() => score(message));
  }
});
