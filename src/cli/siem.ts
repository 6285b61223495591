import { hostname } from 'node:os';
import { dirname } from 'node:path';
import type { Command } from 'commander';
import { loadConfig } from '../config/index.js';
import type {
  Page,
  SiemDeadLetter,
  SiemDeliveries,
  SiemDetail,
  SiemGap,
  SiemReceipt,
  SiemReload,
  SiemReplay,
  SiemStatus,
} from '../contract/http.js';
import { testDestination } from '../forward/index.js';
import { parseDuration } from '../util/duration.js';
import { AppError, EXIT } from '../util/errors.js';
import { silentLogger } from '../util/logger.js';
import { callApi } from './api-client.js';
import { plain, plainLines, toJson } from './print.js';

interface Flags {
  config?: string;
  json?: boolean;
}

const when = (ms: number | null): string => (ms === null || ms === 0 ? '-' : new Date(ms).toISOString());

function show<T>(flags: Flags, items: readonly T[], line: (item: T) => string): void {
  if (flags.json === true) process.stdout.write(`${toJson(items)}\n`);
  else for (const item of items) process.stdout.write(`${plain(line(item))}\n`);
}

/** `2026-11-21T10:00:00Z`, epoch milliseconds, or `2h` for two hours ago. */
function toTime(text: string): number {
  const ago = parseDuration(text);
  const ms = /^\d{12,}$/.test(text) ? Number(text) : ago !== undefined ? Date.now() - ago * 1000 : Date.parse(text);
  if (Number.isFinite(ms)) return ms;
  throw new AppError({
    kind: 'user',
    code: 'request.invalid',
    message: `"${text}" is no time.`,
    fix: 'Write for example 2026-11-21T10:00:00Z, or 2h for two hours ago.',
  });
}

/** `portcullis siem ...`: the way to the SIEM, and whether it got everything. */
export function register(program: Command): void {
  const siem = program.command('siem').description('the way to the SIEM, and whether it got everything');
  const add = (name: string, about: string): Command =>
    siem
      .command(name)
      .description(about)
      .option('--config <file>', 'configuration file')
      .option('--json', 'print JSON');

  add('test <destination>', 'send one harmless event and show the exact bytes and the answer').action(test);
  add('list', 'destinations with state, backlog and last error').action(async (flags: Flags) => {
    const { items } = (await callApi(flags.config, 'GET', '/siem')) as Page<SiemStatus>;
    const details = await Promise.all(items.map(({ name }) => callApi(flags.config, 'GET', `/siem/${name}`)));
    show(flags, details as SiemDetail[], (d) => {
      const said = [d.warning, d.lastError === null ? '' : `last error ${when(d.lastErrorMs)}: ${d.lastError}`];
      const counts = `confirmed ${d.confirmed}, waiting ${d.backlogEvents}, lost ${d.dropped}, refused ${d.dead}`;
      return [d.name, d.state, d.guarantee, d.target, counts, ...said.filter((text) => text !== '')].join('  ');
    });
  });
  add('receipts <destination>', 'what the receiver confirmed of late').action(async (name: string, flags: Flags) => {
    const { items } = (await callApi(flags.config, 'GET', `/siem/${name}/receipts`)) as Page<SiemReceipt>;
    show(
      flags,
      items,
      (r) => `${when(r.atMs)}  ${r.events} events in ${r.tookMs} ms${r.replay ? ' (replay)' : ''}: ${r.how}`,
    );
  });
  add('gaps <destination>', 'what was lost, and how much of it can be sent again').action(
    async (name: string, flags: Flags) => {
      const { items } = (await callApi(flags.config, 'GET', `/siem/${name}/gaps`)) as Page<SiemGap>;
      show(
        flags,
        items,
        (g) => `${when(g.fromMs)} to ${when(g.toMs)}  lost ${g.dropped} (${g.cause}), in the spool ${g.replayable}`,
      );
    },
  );
  add('dead <destination>', 'what the receiver refused for good').action(async (name: string, flags: Flags) => {
    const { items } = (await callApi(flags.config, 'GET', `/siem/${name}/dead-letters`)) as Page<SiemDeadLetter>;
    show(flags, items, (l) => `${when(l.atMs)}  ${l.kind} ${l.eventId}  ${l.reason}  ${l.message}`);
  });
  add('replay <destination>', 'send again what the spool holds of a time span')
    .requiredOption('--from <time>', 'first event: 2026-11-21T10:00:00Z, or 2h for two hours ago')
    .option('--to <time>', 'last event; now unless given')
    .action(async (name: string, flags: Flags & { from: string; to?: string }) => {
      const toMs = flags.to === undefined ? Date.now() : toTime(flags.to);
      const body = { fromMs: toTime(flags.from), toMs };
      const replay = (await callApi(flags.config, 'POST', `/siem/${name}/replay`, body)) as SiemReplay;
      show(
        flags,
        [replay],
        (r) => `replaying ${r.events} events; \`portcullis siem receipts ${name}\` shows how it goes`,
      );
    });
  add('delivered <id>', 'did the SIEM get it? Id of an alert, a decision or an event').action(
    async (id: string, flags: Flags) => {
      const found = (await callApi(
        flags.config,
        'GET',
        `/siem-deliveries/${encodeURIComponent(id)}`,
      )) as SiemDeliveries;
      show(flags, found.events, (e) => {
        const where = e.deliveries.map((d) => `${d.destination} ${d.state} ${when(d.confirmedMs)}`);
        return `${when(e.atMs)}  ${e.kind}  ${e.message}  [${where.join(', ')}]`;
      });
      if (found.events.length === 0 && flags.json !== true)
        process.stdout.write(
          'The spool no longer holds an event with this id; siem.spool.keep_confirmed says how long it does.\n',
        );
    },
  );
  add('reload', 'read the siem section of the configuration again').action(async (flags: Flags) => {
    const result = (await callApi(flags.config, 'POST', '/siem-reload')) as SiemReload;
    show(flags, Object.entries(result), ([what, names]) => `${what}: ${names.join(', ') || '-'}`);
  });
}

async function test(destination: string, flags: Flags): Promise<void> {
  const config = await loadConfig(flags.config);
  const deps = {
    dataDir: config.data_dir,
    ...(config.file === undefined ? {} : { configDir: dirname(config.file) }),
    log: silentLogger,
    now: () => Date.now(),
    hostName: hostname(),
  };
  const result = await testDestination(config.siem, destination, deps);
  if (flags.json === true) {
    process.stdout.write(`${JSON.stringify(result)}\n`);
  } else {
    process.stdout.write(`sent:\n${plainLines(result.bytes)}\n\nanswer:\n${plainLines(result.answer) || '(none)'}\n\n`);
    process.stdout.write(
      result.ok ? 'ok: the receiver has it\n' : `failed: ${plain(result.error ?? 'no confirmation')}\n`,
    );
  }
  if (!result.ok) process.exitCode = EXIT.OPERATIONAL;
}
