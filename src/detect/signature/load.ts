import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { compileRule, type CompileContext } from './compile.js';
import { openCountryDatabase, type CountryDatabase } from './hosts/mmdb.js';
import { createReputation } from './hosts/reputation.js';
import { DEFAULT_CLASSES, parseClassification } from './parse/classification.js';
import { applyThresholdConfig } from './parse/threshold-config.js';
import { ruleLines, type RuleProblem } from './parse/rule.js';
import type { Rule } from './rule.js';
import { createDatasets } from './state/dataset.js';

/** A problem with its file. */
export interface FileProblem extends RuleProblem {
  file: string;
}

export interface LoadedRules {
  rules: Rule[];
  problems: FileProblem[];
}

export interface LoadOptions {
  addressVariables?: Readonly<Record<string, string>>;
  portVariables?: Readonly<Record<string, string>>;
  /** Text of a `classification.config`. */
  classification?: string | undefined;
  maxDatasetEntries?: number;
  /** For `iprep`: a file of categories, and lists of addresses with scores. */
  reputation?: { categories: string; lists: readonly { file: string; text: string }[] } | undefined;
  /** For `geoip`: the bytes of a MaxMind DB file. */
  geoip?: { file: string; data: Uint8Array } | undefined;
  /** A `threshold.config`: suppressions and thresholds by sid. */
  threshold?: { file: string; text: string } | undefined;
  /** Reads a file that a rule names, already relative to the rule's file; from disk unless given. */
  readFile?: (path: string) => string;
}

/** What Suricata's default configuration sets. */
const ADDRESSES: Readonly<Record<string, string>> = {
  HOME_NET: '[192.168.0.0/16,10.0.0.0/8,172.16.0.0/12]',
  EXTERNAL_NET: '!$HOME_NET',
  HTTP_SERVERS: '$HOME_NET',
  SMTP_SERVERS: '$HOME_NET',
  SQL_SERVERS: '$HOME_NET',
  DNS_SERVERS: '$HOME_NET',
  TELNET_SERVERS: '$HOME_NET',
  AIM_SERVERS: '$EXTERNAL_NET',
  DC_SERVERS: '$HOME_NET',
  DNP3_SERVER: '$HOME_NET',
  DNP3_CLIENT: '$HOME_NET',
  MODBUS_CLIENT: '$HOME_NET',
  MODBUS_SERVER: '$HOME_NET',
  ENIP_CLIENT: '$HOME_NET',
  ENIP_SERVER: '$HOME_NET',
};
const PORTS: Readonly<Record<string, string>> = {
  HTTP_PORTS: '80',
  SHELLCODE_PORTS: '!80',
  ORACLE_PORTS: '1521',
  SSH_PORTS: '22',
  DNP3_PORTS: '20000',
  MODBUS_PORTS: '502',
  FILE_DATA_PORTS: '[$HTTP_PORTS,110,143]',
  FTP_PORTS: '21',
  GENEVE_PORTS: '6081',
  VXLAN_PORTS: '4789',
  TEREDO_PORTS: '3544',
};

type RuleFiles = readonly { file: string; text: string }[];

/** Compiles rule files in order; a bad rule never stops the rest, a later rule with the same sid replaces by revision. */
export function loadRules(files: RuleFiles, options: LoadOptions = {}): LoadedRules {
  const steps = compileSteps(files, options);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/**
 * The same, letting others work in between: the packets and decisions of a running daemon do not wait for its rules.
 * @param sliceMs longest time at a stretch, milliseconds.
 */
export async function loadRulesGradually(
  files: RuleFiles,
  options: LoadOptions = {},
  sliceMs = 5,
): Promise<LoadedRules> {
  const steps = compileSteps(files, options);
  let until = performance.now() + sliceMs;
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    if (performance.now() < until) continue;
    await new Promise((resolve) => setImmediate(resolve));
    until = performance.now() + sliceMs;
  }
}

function* compileSteps(files: RuleFiles, options: LoadOptions): Generator<undefined, LoadedRules> {
  const problems: FileProblem[] = [];
  const classes = new Map(DEFAULT_CLASSES);
  if (options.classification !== undefined)
    for (const [name, value] of parseClassification(options.classification)) classes.set(name, value);
  const shared = {
    addresses: new Map(Object.entries({ ...ADDRESSES, ...options.addressVariables })),
    ports: new Map(Object.entries({ ...PORTS, ...options.portVariables })),
    classes,
    datasets: createDatasets(options.maxDatasetEntries ?? 1_000_000),
    ...openHostKnowledge(options, problems),
    addressCache: new Map(),
    portCache: new Map(),
  };
  const readFile = options.readFile ?? ((path: string) => readFileSync(path, 'utf8'));
  const bySid = new Map<string, Rule>();
  for (const { file, text } of files) {
    const context: CompileContext = {
      ...shared,
      file,
      readLines: (path) => readFile(join(dirname(file), path)).split(/\r?\n/),
    };
    for (const { text: ruleText, line } of ruleLines(text)) {
      yield;
      const result = compileRule(ruleText, line, context);
      if (result === undefined) continue;
      if ('reason' in result) {
        problems.push({ ...result, file });
        continue;
      }
      const key = `${result.gid}:${result.signatureId}`;
      const known = bySid.get(key);
      if (known && known.rev >= result.rev) {
        problems.push({
          file,
          line,
          column: 1,
          reason: `sid ${result.signatureId} is used twice`,
          signatureId: result.signatureId,
        });
        continue;
      }
      bySid.set(key, result);
    }
  }
  const rules = orderRules([...bySid.values()]);
  if (options.threshold) {
    const { file, text } = options.threshold;
    for (const p of applyThresholdConfig(text, rules, shared.addresses)) problems.push({ ...p, column: 1, file });
  }
  return { rules, problems };
}

function openHostKnowledge(
  options: LoadOptions,
  problems: FileProblem[],
): Pick<CompileContext, 'reputation' | 'countries'> {
  const { reputation, geoip } = options;
  let countries: CountryDatabase | undefined;
  try {
    countries = geoip && openCountryDatabase(geoip.data);
  } catch (error) {
    problems.push({
      file: geoip!.file,
      line: 1,
      column: 1,
      reason: error instanceof Error ? error.message : String(error),
    });
  }
  return {
    countries,
    reputation:
      reputation &&
      createReputation(reputation.categories, reputation.lists, (file, line, reason) => {
        problems.push({ file, line, column: 1, reason });
      }),
  };
}

const ACTION_ORDER: Readonly<Record<string, number>> = {
  pass: 0,
  drop: 1,
  reject: 2,
  rejectsrc: 2,
  rejectdst: 2,
  rejectboth: 2,
};

/** Rules that set a bit come before those that test it. */
function bitOrder(rule: Rule, scopes: readonly string[]): number {
  const tests = rule.bits.filter((x) => scopes.includes(x.scope));
  const sets = tests.some((x) => x.action !== 'isset' && x.action !== 'isnotset');
  const reads = tests.some((x) => x.action === 'isset' || x.action === 'isnotset');
  return sets ? (reads ? 1 : 0) : reads ? 2 : 3;
}

function intOrder(rule: Rule): number {
  const sets = rule.flowInts.some((x) => x.operator === '+' || x.operator === '-' || x.operator === '=');
  return rule.flowInts.length === 0 ? 3 : sets ? 0 : 2;
}

/** Rules whose patterns remember what they capture come before those that ask for it. */
function captureOrder(rule: Rule): number {
  const reads = rule.captureTests.length > 0;
  return rule.hasCaptures ? (reads ? 1 : 0) : reads ? 2 : 3;
}

/** Suricata's sort keys: action, flow bits, flow numbers, captures, host bits, priority. */
function orderKeys(rule: Rule): number[] {
  return [
    ACTION_ORDER[rule.action] ?? 3,
    bitOrder(rule, ['flow']),
    intOrder(rule),
    captureOrder(rule),
    bitOrder(rule, ['src', 'dst', 'both', 'pair']),
    rule.priority,
  ];
}

/** Rules with equal keys stay as written. */
function orderRules(rules: Rule[]): Rule[] {
  const sorted = rules
    .map((rule) => ({ rule, keys: orderKeys(rule) }))
    .sort((x, y) => x.keys.reduce((sum, key, i) => (sum !== 0 ? sum : key - y.keys[i]!), 0))
    .map((x) => x.rule);
  for (const [i, rule] of sorted.entries()) rule.index = i;
  return sorted;
}
