import type { DatasetMatch } from '../rule.js';
import { DATASET_TYPES, type Dataset, type DatasetType } from '../state/dataset.js';
import { parseNumber } from '../parse/number.js';
import type { RuleBuilder } from './builder.js';

/** The set that options such as `type string, load FILE` name; opened when no rule before did. */
function openSet(b: RuleBuilder, name: string, options: readonly string[]): Dataset {
  let type: DatasetType | undefined;
  let load: string | undefined;
  for (const part of options) {
    const [key, argument = ''] = part.split(/\s+/);
    if (key === 'type') type = argument as DatasetType;
    else if (key === 'load' || key === 'state') load = argument;
    else if (key !== 'save' && key !== 'memcap' && key !== 'hashsize')
      throw new Error(`"${part}" is not understood here`);
  }
  if (type !== undefined && !DATASET_TYPES.includes(type)) throw new Error(`"${type}" is not a dataset type`);
  const known = b.context.datasets.find(name);
  if (known) return known;
  if (type === undefined) throw new Error(`the dataset ${name} has no type`);
  return b.context.datasets.open(name, type, load ? b.context.readLines(load) : []);
}

/** `isset|isnotset|set|unset,NAME[,type TYPE][,load FILE]`: a set of values that the buffer is in or is put into. */
export function dataset(b: RuleBuilder, value: string): void {
  if (!b.sticky) throw new Error('needs a buffer keyword before it');
  const [command = '', name = '', ...rest] = value.split(',').map((p) => p.trim());
  if (!/^(isset|isnotset|set|unset)$/.test(command)) throw new Error(`"${command}" is not a dataset command`);
  const set = openSet(b, name, rest);
  b.add({ kind: 'dataset', dataset: set, command: command as DatasetMatch['command'] });
}

/** `NAME,<|>|==,NUMBER[,type TYPE][,load FILE]`: the reputation that a file of `value,number` gives the buffer. */
export function datarep(b: RuleBuilder, value: string): void {
  if (!b.sticky) throw new Error('needs a buffer keyword before it');
  const [name = '', operator = '', number = '', ...rest] = value.split(',').map((p) => p.trim());
  if (!/^(<|>|==|=)$/.test(operator)) throw new Error(`"${operator}" is not a comparison`);
  const range = { operator: operator.replace('==', '=') as '<', a: parseNumber(number, 0, 65_535), b: 0 };
  b.add({ kind: 'datarep', dataset: openSet(b, name, rest), range });
}
