import type { ModelCard } from './model-card.js';

/**
 * The seal binds a card to its model: the SHA-256 of the card stands in model.onnx itself, as the last metadata property
 * (ONNX ModelProto, field 14), where the runtime ignores it. Whoever edits the threshold, the class names or any other
 * word of a card, or puts it beside another model, breaks it. It guards against edits and mix-ups; it is no signature:
 * who can write both files and knows the format can seal anew.
 */
const KEY = 'portcullis.card';
const DIGEST_CHARS = 64;
const METADATA_TAG = (14 << 3) | 2;

type Sha256 = (data: Uint8Array | string) => string;

/** model.onnx with the seal of its card, which does not know the file's id and hash yet. */
export function sealModel(onnx: Uint8Array, card: ModelCard, sha256: Sha256): Uint8Array {
  const seal = property(digestOf(card, sha256));
  const bytes = new Uint8Array(onnx.length + seal.length);
  bytes.set(onnx);
  bytes.set(seal, onnx.length);
  return bytes;
}

/** Why a model does not belong to a card; undefined when it does. */
export function sealProblem(onnx: Uint8Array, card: ModelCard, sha256: Sha256): string | undefined {
  const expected = property(digestOf(card, sha256));
  const tail = onnx.subarray(Math.max(0, onnx.length - expected.length));
  const head = expected.length - DIGEST_CHARS;
  if (!isSame(tail.subarray(0, head), expected.subarray(0, head))) return 'model.onnx is not sealed to a card';
  if (isSame(tail, expected)) return undefined;
  return 'card.json and model.onnx disagree: one of them was changed after training';
}

/** Of everything in the card but what follows from model.onnx. */
function digestOf(card: ModelCard, sha256: Sha256): string {
  const { 'model.onnx': _model, ...files } = card.files;
  return sha256(canonical({ ...card, id: '', files }));
}

/** JSON with the keys of every object in order: the same text for the same card, however it was written. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).filter(([, v]) => v !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([name, v]) => `${JSON.stringify(name)}:${canonical(v)}`).join(',')}}`;
}

/** StringStringEntryProto: key is field 1, value field 2; every length fits one byte. */
function property(digest: string): Uint8Array {
  const text = (field: number, value: string): number[] => [
    (field << 3) | 2,
    value.length,
    ...new TextEncoder().encode(value),
  ];
  const entry = [...text(1, KEY), ...text(2, digest)];
  return Uint8Array.from([METADATA_TAG, entry.length, ...entry]);
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((v, i) => v === b[i]);
}
