import type { OnnxGraph } from './graph.js';

/**
 * Declares the outputs of a classifier: `probabilities` [N, classes], `score` [N] (all that is not benign), and
 * `novelty` [N] when there are several attack classes: given, or how far the best class is from certain.
 */
export function addProbabilityOutputs(
  graph: OnnxGraph,
  probabilities: string,
  classes: number,
  novelty?: string,
): void {
  graph.node('Identity', [probabilities], {}, 'probabilities');
  graph.output('probabilities', ['N', classes]);
  const attacks = graph.node('Slice', [probabilities, graph.int64s([1]), graph.int64s([classes]), graph.int64s([1])]);
  const sum = graph.node('ReduceSum', [attacks, graph.int64s([1])], { keepdims: 0 });
  graph.node('Clip', [sum, graph.scalar(0), graph.scalar(1)], {}, 'score');
  graph.output('score', ['N']);
  if (novelty !== undefined) graph.node('Identity', [novelty], {}, 'novelty');
  else if (classes > 2) {
    const best = graph.node('ReduceMax', [probabilities], { axes: [1], keepdims: 0 });
    graph.node('Sub', [graph.scalar(1), best], {}, 'novelty');
  } else return;
  graph.output('novelty', ['N']);
}

/** [1 - p, p] from p [N, 1]. */
export function pairOf(graph: OnnxGraph, p: string): string {
  return graph.node('Concat', [graph.node('Sub', [graph.scalar(1), p]), p], { axis: 1 });
}
