import { createHash } from 'node:crypto';

export const DATASET_TYPES = ['string', 'md5', 'sha256', 'ipv4', 'ip'] as const;
export type DatasetType = (typeof DATASET_TYPES)[number];

/** A named set of values that rules test and add to; full sets take no more, and count it. */
export interface Dataset {
  readonly name: string;
  readonly type: DatasetType;
  readonly size: number;
  readonly refused: number;
  has(data: Uint8Array): boolean;
  /** The number behind the value in the file it was loaded from; undefined when it is not in the set. */
  reputation(data: Uint8Array): number | undefined;
  add(data: Uint8Array): boolean;
  remove(data: Uint8Array): boolean;
}

/** All datasets of a rule set by name. */
export interface Datasets {
  /** @throws {Error} when the name is used with two types, or the file cannot be read. */
  open(name: string, type: DatasetType, lines: readonly string[]): Dataset;
  find(name: string): Dataset | undefined;
}

export function createDatasets(maxEntries: number): Datasets {
  const all = new Map<string, Dataset>();
  return {
    find: (name) => all.get(name),
    open(name, type, lines) {
      const known = all.get(name);
      if (known) {
        if (known.type !== type) throw new Error(`the dataset ${name} has the type ${known.type}`);
        return known;
      }
      const made = createDataset(name, type, maxEntries);
      for (const line of lines) {
        const [value = '', reputation] = line.split(',').map((part) => part.trim());
        const bytes = Buffer.from(value, type === 'string' ? 'base64' : 'latin1');
        if (value !== '') made.load(bytes, reputation === undefined ? undefined : Number(reputation));
      }
      all.set(name, made);
      return made;
    },
  };
}

/** A set while its file is read. */
interface LoadingDataset extends Dataset {
  load(data: Uint8Array, reputation: number | undefined): void;
}

function createDataset(name: string, type: DatasetType, maxEntries: number): LoadingDataset {
  const values = new Map<string, number>();
  let refused = 0;
  /** Files hold hashes in hexadecimal, traffic has the bytes. */
  const key = (data: Uint8Array): string => {
    const text = Buffer.from(data).toString('latin1');
    if (type === 'string' || type === 'ip' || type === 'ipv4') return text;
    if (data.length === (type === 'md5' ? 32 : 64)) return text.toLowerCase();
    return createHash(type).update(data).digest('hex');
  };
  return {
    name,
    type,
    get size() {
      return values.size;
    },
    get refused() {
      return refused;
    },
    has: (data) => values.has(key(data)),
    reputation: (data) => values.get(key(data)),
    load(data, reputation) {
      if (this.add(data) && reputation !== undefined) values.set(key(data), reputation);
    },
    add(data) {
      const k = key(data);
      if (values.has(k)) return false;
      if (values.size >= maxEntries) {
        refused++;
        return false;
      }
      values.set(k, 0);
      return true;
    },
    remove: (data) => values.delete(key(data)),
  };
}
