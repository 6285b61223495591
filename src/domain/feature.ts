/** How a feature behaves: a count or amount, a share 0..1, a flag 0/1, or a category coded as an integer. */
export type FeatureKind = 'numeric' | 'ratio' | 'flag' | 'category';

/** One column of a feature vector. */
export interface FeatureDefinition {
  name: string;
  kind: FeatureKind;
  /** Unit as shown to people: 's', 'bytes', 'packets', '1/s', '' for none. */
  unit: string;
  /** One sentence: exactly what the number is. */
  description: string;
  /** Names of the codes 0..n-1 of a category. */
  vocabulary?: readonly string[];
}

/** An ordered, versioned list of features; a model states the schema it was trained on by name, version and hash. */
export interface FeatureSchema {
  name: string;
  version: number;
  features: readonly FeatureDefinition[];
}

/** When the vector was taken: early (after N packets or T ms of the flow) or at the flow's end. */
export type SnapshotMoment = 'early' | 'end';

/** Values in the order of the schema; `values` is reused by its producer unless stated otherwise. */
export interface FeatureVector {
  schema: string;
  moment: SnapshotMoment;
  values: Float32Array;
}
