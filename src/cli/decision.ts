import { Option, type Command } from 'commander';
import { loadConfig, type LoadedConfig } from '../config/index.js';
import type { Page } from '../contract/http.js';
import { ACTIONS, SCOPES, type Decision } from '../domain/decision.js';
import { formatDuration, parseDuration } from '../util/duration.js';
import { AppError, errorMessage, EXIT } from '../util/errors.js';
import { canonicalAddress } from '../util/ip.js';
import { callApi } from './api-client.js';
import { plain, toJson } from './print.js';
import { runningResponders } from './running-responders.js';

interface Flags {
  config?: string;
  json?: boolean;
}

const PROTOCOLS: Readonly<Record<string, number>> = { tcp: 6, udp: 17, icmp: 1, icmpv6: 58, sctp: 132 };

function usage(message: string, fix: string): AppError {
  return new AppError({ kind: 'user', code: 'decision.invalid', message, fix });
}

function toSecs(text: string): number {
  const secs = text === 'forever' ? 0 : parseDuration(text);
  if (secs !== undefined && Number.isInteger(secs)) return secs;
  throw usage(`"${text}" is no duration.`, 'Write for example 15m, 1h30m, 7d or forever.');
}

function toNumber(text: string, names: Readonly<Record<string, number>> = {}): number {
  const value = names[text.toLowerCase()] ?? Number(text);
  if (Number.isInteger(value)) return value;
  throw usage(`"${text}" is not a number.`, 'Write a number.');
}

function line(decision: Decision, nowMs: number): string {
  const { id, value, action, scope, enforcement, simulated, expiresMs, actor, reason } = decision;
  const left = expiresMs === 0 ? 'for ever' : expiresMs <= nowMs ? 'ended' : formatDuration((expiresMs - nowMs) / 1000);
  const state = simulated ? `${enforcement} (simulated)` : enforcement;
  const said = plain(`${actor}: ${reason}`);
  return `${id}  ${value.padEnd(24)} ${action.padEnd(10)} ${scope.padEnd(7)} ${state.padEnd(20)} ${left.padEnd(10)} ${said}`;
}

function show(decisions: readonly Decision[], flags: Flags): void {
  if (flags.json === true) process.stdout.write(`${toJson(decisions)}\n`);
  else for (const decision of decisions) process.stdout.write(`${line(decision, Date.now())}\n`);
}

/** Every page of a list, up to `max` decisions. */
async function fetchAll(flags: Flags, query: Record<string, string>, max: number): Promise<Decision[]> {
  const found: Decision[] = [];
  let cursor: string | null = null;
  do {
    const search = new URLSearchParams({ ...query, limit: '200', ...(cursor === null ? {} : { cursor }) });
    const page = (await callApi(flags.config, 'GET', `/decisions?${search.toString()}`)) as Page<Decision>;
    found.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== null && found.length < max);
  return found.slice(0, max);
}

async function list(flags: Flags & { all?: boolean; search?: string; max: string }): Promise<void> {
  const query = {
    state: flags.all === true ? 'all' : 'active',
    ...(flags.search === undefined ? {} : { q: flags.search }),
  };
  show(await fetchAll(flags, query, toNumber(flags.max)), flags);
}

interface AddFlags extends Flags {
  for: string;
  reason: string;
  action?: string;
  scope?: string;
  proto?: string;
  port?: string;
  override?: boolean;
}

async function add(value: string, flags: AddFlags): Promise<void> {
  const { action, scope, proto, port } = flags;
  const body = {
    value,
    durationSecs: toSecs(flags.for),
    reason: flags.reason,
    ...(action === undefined ? {} : { action }),
    ...(scope === undefined ? {} : { scope }),
    ...(proto === undefined ? {} : { proto: toNumber(proto, PROTOCOLS) }),
    ...(port === undefined ? {} : { port: toNumber(port) }),
    ...(flags.override === true ? { override: true } : {}),
  };
  show([(await callApi(flags.config, 'POST', '/decisions', body)) as Decision], flags);
}

async function remove(target: string, flags: Flags & { reason: string }): Promise<void> {
  const address = canonicalAddress(target);
  const ids =
    address === undefined
      ? [target]
      : (await fetchAll(flags, { state: 'active', q: `ip:${address}` }, 1000))
          .filter((decision) => decision.value === address)
          .map((decision) => decision.id);
  if (ids.length === 0) {
    throw new AppError({
      kind: 'user',
      code: 'decision.not_found',
      message: `No decision on ${target} is in force.`,
      fix: 'portcullis explain shows which wider decision may cover it.',
    });
  }
  const released: Decision[] = [];
  for (const id of ids) {
    const path = `/decisions/${encodeURIComponent(id)}`;
    released.push((await callApi(flags.config, 'DELETE', path, { reason: flags.reason })) as Decision);
  }
  show(released, flags);
}

type FlushTarget = Pick<LoadedConfig, 'enforce' | 'inline'>;

/** What to flush: as the configuration says, and what the responders that run here work with, wherever this is called. */
async function flushTargets(flags: Flags): Promise<FlushTarget[]> {
  const found = new Map<string, FlushTarget>();
  const add = ({ enforce, inline }: FlushTarget): void => {
    found.set(`${enforce.state_dir} ${enforce.table}`, { enforce, inline });
  };
  add(await loadConfig(flags.config));
  if (flags.config !== undefined) return [...found.values()];
  const here = process.cwd();
  for (const { cwd, config } of runningResponders()) {
    try {
      process.chdir(cwd);
      add(await loadConfig(config));
    } catch (error) {
      process.stderr.write(`The configuration of a running responder cannot be read: ${errorMessage(error)}\n`);
    }
  }
  process.chdir(here);
  return [...found.values()];
}

async function flush(flags: Flags): Promise<void> {
  const { flushAll, isBlockingAgain } = await import('../enforce/index.js');
  const { liftInline, sayInline } = await import('./flush-inline.js');
  const all = await flushTargets(flags);
  const targets = all.map(({ enforce }) => enforce);
  const results = await Promise.all(targets.map((target) => flushAll(target)));
  const failed = results.find(({ removed }) => !removed);
  const removed = failed === undefined;
  const known = results.some((result) => result.known);
  const marked = results.every((result) => result.marked || !result.known);
  const inline = await liftInline(all.map((target) => target.inline));
  const again = removed && (await Promise.all(targets.map((target) => isBlockingAgain(target)))).includes(true);
  if (flags.json === true) {
    const error = failed?.error;
    process.stdout.write(
      `${JSON.stringify({ removed, known, marked, again, inline, ...(error === undefined ? {} : { error }) })}\n`,
    );
  } else if (failed) {
    const kept = results.some((result) => result.marked)
      ? 'The old blocks will not come back, but the table'
      : 'The table';
    process.stderr.write(`${kept} is still there: ${failed.error ?? ''}\n  fix: Run it as root.\n`);
  } else if (again) {
    process.stderr.write(
      'Every block was lifted, but something is blocked again: by new decisions (set mode: observe), or by a responder\n' +
        'with another configuration (name it with --config).\n',
    );
  } else if (marked) process.stdout.write('Every block is lifted; no responder will bring the old ones back.\n');
  else process.stdout.write('Every block is lifted.\n');
  if (!marked && removed && flags.json !== true) {
    process.stderr.write(
      'The mark that keeps the old blocks from coming back could not be written: stop the responder before it restores\n' +
        'them (systemctl stop portcullis-responder), make room, and flush again.\n',
    );
  }
  if (flags.json !== true) sayInline(inline);
  if (!known && removed && flags.json !== true) {
    const folders = targets.map(({ state_dir: dir }) => dir).join(', ');
    process.stderr.write(
      `No responder has ever worked with ${folders}: if one does with another configuration, name that with --config.\n`,
    );
  }
  if (!removed || again || !marked) process.exitCode = EXIT.OPERATIONAL;
}

/** `portcullis decision list|add|delete|flush`: what is blocked, by the API; flush works without it. */
export function register(program: Command): void {
  const decision = program.command('decision').description('what is blocked, rate-limited or watched');
  const sub = (name: string, description: string): Command =>
    decision
      .command(name)
      .description(description)
      .option('--config <file>', 'configuration file')
      .option('--json', 'print JSON');
  sub('list', 'decisions in force, newest first')
    .option('--all', 'ended ones too')
    .option('--search <terms>', 'as in the console: ip: policy: origin: action: is:simulated text')
    .option('--max <number>', 'at most so many', '1000')
    .action(list);
  sub('add', 'block, rate-limit or watch an address or prefix')
    .argument('<address>', 'address or prefix')
    .requiredOption('--for <duration>', '15m, 1h30m, 7d, or forever')
    .requiredOption('--reason <text>', 'why; goes into the audit log and the SIEM')
    .addOption(new Option('--action <action>', 'what to do').choices([...ACTIONS]))
    .addOption(new Option('--scope <scope>', 'what of it').choices([...SCOPES]))
    .option('--proto <protocol>', 'tcp, udp or a number, with --port')
    .option('--port <port>', 'port on the protected side')
    .option('--override', 'go ahead although other clients share the address')
    .action(add);
  sub('delete', 'lift a decision by its id, or every one on an address')
    .argument('<id or address>')
    .requiredOption('--reason <text>', 'why; goes into the audit log and the SIEM')
    .action(remove);
  sub('flush', 'break glass: lift everything on this box at once, with or without the server').action(flush);
}
