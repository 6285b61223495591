import type { Command } from 'commander';
import type {
  ChangeOutcome,
  Page,
  PendingChange,
  PolicyDetail,
  PolicyDiff,
  PolicyExplanation,
} from '../contract/http.js';
import { parseDuration } from '../util/duration.js';
import { AppError, errorMessage } from '../util/errors.js';
import { parseYaml } from '../util/yaml.js';
import { z } from 'zod';
import { callApi } from './api-client.js';
import { plainLines, toJson } from './print.js';
import { readInput } from './read-input.js';

interface Flags {
  config?: string;
  json?: boolean;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** `portcullis policy put|explain|versions|diff|rollback|confirm|revert`: policies of the running server. */
export function registerVersions(policy: Command): void {
  const sub = (name: string, description: string): Command =>
    policy
      .command(name)
      .description(description)
      .option('--config <file>', 'configuration file')
      .option('--json', 'print JSON');
  sub('put', 'save a policy on the running server and put it in force')
    .argument('<file>', 'policy file')
    .requiredOption('--comment <text>', 'why; goes into the versions and the audit log')
    .option('--confirm <duration>', 'take it back after this time unless "policy confirm" is run')
    .action(put);
  sub('explain', 'what the policies in force would do about an alert, and why')
    .argument('<alert>', 'id of a stored alert, or a JSON file with an alert')
    .option('--policy <file>', 'a policy judged as if it were in force')
    .action(explain);
  sub('versions', 'every text of a policy that was ever in force, newest first').argument('<name>').action(versions);
  sub('diff', 'compare two versions, or a version and a file; the one in force unless --from is given')
    .argument('<name>')
    .option('--from <version>')
    .option('--to <version>')
    .option('--file <file>', 'a text that is not saved')
    .action(diff);
  sub('rollback', 'put an earlier version in force again')
    .argument('<name>')
    .argument('<version>')
    .requiredOption('--comment <text>', 'why; goes into the versions and the audit log')
    .option('--confirm <duration>', 'take it back after this time unless "policy confirm" is run')
    .action(rollback);
  sub('confirm', 'keep a change that waits for its confirmation')
    .argument('[id]', 'all that wait, unless given')
    .action((id: string | undefined, flags: Flags) => settle('confirm', id, flags));
  sub('revert', 'take a change that waits for its confirmation back now')
    .argument('[id]', 'all that wait, unless given')
    .action((id: string | undefined, flags: Flags) => settle('revert', id, flags));
}

function print(flags: Flags, value: unknown, text: string): void {
  process.stdout.write(`${flags.json === true ? toJson(value) : plainLines(text)}\n`);
}

function confirmSecs(text: string | undefined): { confirmSecs?: number } {
  if (text === undefined) return {};
  const secs = parseDuration(text);
  if (secs !== undefined) return { confirmSecs: secs };
  throw new AppError({
    kind: 'user',
    code: 'policy.bad_duration',
    message: `--confirm: "${text}" is not a duration such as 5m.`,
  });
}

function inForce({ name, version, pending }: PolicyDetail): string {
  const until = pending ? `; taken back at ${new Date(pending.revertMs).toISOString()} unless confirmed` : '';
  return `${name} version ${version} is in force${until}.\n`;
}

async function put(file: string, flags: Flags & { comment: string; confirm?: string }): Promise<void> {
  const yaml = await readInput(file);
  const named = parseYaml(yaml, file, z.looseObject({ name: z.string() }));
  const name = named.ok ? named.value.name : 'policy';
  const body = { yaml, comment: flags.comment, ...confirmSecs(flags.confirm) };
  const detail = (await callApi(flags.config, 'PUT', `/policies/${encodeURIComponent(name)}`, body)) as PolicyDetail;
  print(flags, detail, inForce(detail));
}

function parseAlert(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new AppError({
      kind: 'user',
      code: 'cli.cannot_read',
      message: `${path} is no alert in JSON: ${errorMessage(error)}.`,
      fix: 'Give the id of an alert, or a file with one in JSON.',
      cause: error,
    });
  }
}

async function explain(alert: string, flags: Flags & { policy?: string }): Promise<void> {
  const what: unknown = UUID.test(alert) ? alert : parseAlert(await readInput(alert), alert);
  const yaml = flags.policy === undefined ? {} : { yaml: await readInput(flags.policy) };
  const answer = await callApi(flags.config, 'POST', '/policies/explain', { alert: what, ...yaml });
  print(flags, answer, `${(answer as PolicyExplanation).text.join('\n')}\n`);
}

async function versions(name: string, flags: Flags): Promise<void> {
  const detail = (await callApi(flags.config, 'GET', `/policies/${encodeURIComponent(name)}`)) as PolicyDetail;
  const lines = detail.versions.map((v) => {
    const mark = v.version === detail.version ? '*' : ' ';
    return `${mark} ${String(v.version).padStart(4)}  ${new Date(v.createdMs).toISOString()}  ${v.actor.padEnd(16)} ${v.comment}\n`;
  });
  print(flags, detail.versions, lines.join(''));
}

async function diff(name: string, flags: Flags & { from?: string; to?: string; file?: string }): Promise<void> {
  const body = {
    ...(flags.from === undefined ? {} : { from: Number(flags.from) }),
    ...(flags.to === undefined ? {} : { to: Number(flags.to) }),
    ...(flags.file === undefined ? {} : { yaml: await readInput(flags.file) }),
  };
  const answer = (await callApi(
    flags.config,
    'POST',
    `/policies/${encodeURIComponent(name)}/diff`,
    body,
  )) as PolicyDiff;
  const mark = { same: ' ', added: '+', removed: '-' } as const;
  const title = `--- ${name} version ${answer.from}\n+++ ${answer.to === 0 ? (flags.file ?? '') : `${name} version ${answer.to}`}\n`;
  print(flags, answer, title + answer.lines.map((l) => `${mark[l.op]}${l.text}\n`).join(''));
}

async function rollback(
  name: string,
  version: string,
  flags: Flags & { comment: string; confirm?: string },
): Promise<void> {
  const body = { version: Number(version), comment: flags.comment, ...confirmSecs(flags.confirm) };
  const path = `/policies/${encodeURIComponent(name)}/rollback`;
  const detail = (await callApi(flags.config, 'POST', path, body)) as PolicyDetail;
  print(flags, detail, inForce(detail));
}

async function settle(how: 'confirm' | 'revert', id: string | undefined, flags: Flags): Promise<void> {
  const waiting = ((await callApi(flags.config, 'GET', '/changes')) as Page<PendingChange>).items;
  const ids = id === undefined ? waiting.map((c) => c.id) : [id];
  const outcomes: ChangeOutcome[] = [];
  for (const one of ids) {
    outcomes.push((await callApi(flags.config, 'POST', `/changes/${encodeURIComponent(one)}/${how}`)) as ChangeOutcome);
  }
  const lines = outcomes.map((o) => `${o.change.summary} ${o.outcome}; ${o.lifted} decisions lifted.\n`);
  print(flags, outcomes, outcomes.length === 0 ? 'No change waits for its confirmation.\n' : lines.join(''));
}
