import type { OnnxGraph } from '../onnx/graph.js';
import type { Ensemble } from './ensemble.js';

/**
 * Adds an ensemble as one TreeEnsembleRegressor and returns its raw output [N, outputs].
 * @param outputs which of the ensemble's outputs to write, renumbered from 0.
 */
export function addEnsemble(graph: OnnxGraph, x: string, ensemble: Ensemble, outputs: readonly number[]): string {
  const node = { trees: [] as number[], ids: [] as number[], features: [] as number[], values: [] as number[] };
  const modes: string[] = [];
  const [yes, no, missing]: number[][] = [[], [], []];
  const target = { trees: [] as number[], nodes: [] as number[], ids: [] as number[], weights: [] as number[] };
  for (const [t, tree] of ensemble.trees.entries()) {
    for (let i = 0; i < tree.feature.length; i++) {
      const isLeaf = tree.feature[i]! < 0;
      node.trees.push(t);
      node.ids.push(i);
      node.features.push(isLeaf ? 0 : tree.feature[i]!);
      node.values.push(tree.threshold[i]!);
      modes.push(isLeaf ? 'LEAF' : 'BRANCH_LEQ');
      yes!.push(isLeaf ? 0 : tree.left[i]!);
      no!.push(isLeaf ? 0 : tree.right[i]!);
      missing!.push(tree.missingLeft[i]!);
      if (!isLeaf) continue;
      let written = 0;
      for (const [to, from] of outputs.entries()) {
        const at = from - tree.output;
        const value = at >= 0 && at < tree.width ? tree.value[i * tree.width + at]! : 0;
        const isLast = to === outputs.length - 1;
        if (value === 0 && !(isLast && written === 0)) continue;
        written++;
        target.trees.push(t);
        target.nodes.push(i);
        target.ids.push(to);
        target.weights.push(value);
      }
    }
  }
  return graph.node('TreeEnsembleRegressor', [x], {
    n_targets: outputs.length,
    aggregate_function: 'SUM',
    base_values: Float32Array.from(outputs, (o) => ensemble.base[o]!),
    nodes_treeids: Int32Array.from(node.trees),
    nodes_nodeids: Int32Array.from(node.ids),
    nodes_featureids: Int32Array.from(node.features),
    nodes_values: Float32Array.from(node.values),
    nodes_modes: modes,
    nodes_truenodeids: Int32Array.from(yes!),
    nodes_falsenodeids: Int32Array.from(no!),
    nodes_missing_value_tracks_true: Int32Array.from(missing!),
    target_treeids: Int32Array.from(target.trees),
    target_nodeids: Int32Array.from(target.nodes),
    target_ids: Int32Array.from(target.ids),
    target_weights: Float32Array.from(target.weights),
    post_transform: 'NONE',
  });
}
