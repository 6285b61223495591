import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { flowKey, NO_FLOW, type Finding } from './rule-replay.js';

export interface SuricataRun {
  /** Program, or its path. */
  suricata: string;
  /** File with all rules. */
  rules: string;
  /** Captures in the order of their numbers. */
  captures: readonly string[];
  /** Folder for its output and socket; short, as paths of sockets are. */
  work: string;
  /** `KEY=VALUE` of its configuration, beside what makes the two comparable. */
  settings: readonly string[];
}

/** What makes both see the same: every network is ours, and packets are looked at one after another. */
const SETTINGS = [
  'vars.address-groups.HOME_NET=any',
  'vars.address-groups.EXTERNAL_NET=any',
  'runmode=single',
  'stream.checksum-validation=no',
];
const START_MS = 120_000;
const POLL_MS = 200;
/** A capture that ends Suricata so often is left out. */
const MAX_TRIES = 2;

export interface Answers {
  findings: Finding[];
  /** Captures that Suricata cannot open or of which it knows no packet. */
  unread: string[];
  /** Captures that it has read in a process of their own. */
  alone: string[];
}

/** Its last words about a capture that it has read something of. */
const PACKETS_READ = /"event_type":"stats".*"decoder":\{"pkts":[1-9]/;

interface EveAlert {
  proto: string;
  src_ip?: string;
  src_port?: number;
  dest_ip?: string;
  dest_port?: number;
  pcap_cnt?: number;
  alert: { signature_id: number };
}

/**
 * Suricata's findings, each capture with flows, streams and limits of its own: one process that gets them through its
 * command socket. A capture that it cannot open ends it; it is started again with those that are left.
 */
export async function runSuricata(run: SuricataRun): Promise<Answers> {
  const { work, captures } = run;
  const folders = captures.map((_, i) => join(work, String(i)));
  const failures = new Map<number, number>();
  for (let next = 0; next < captures.length;) {
    const from = next;
    for (const folder of folders.slice(from)) {
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder, { recursive: true });
    }
    if (await runOnce(run, folders, from)) break;
    // The last one that it had begun.
    const at = Math.max(from, folders.findLastIndex((folder) => existsSync(join(folder, 'eve.json')))); // prettier-ignore
    const times = (failures.get(at) ?? 0) + 1;
    failures.set(at, times);
    next = times === MAX_TRIES ? at + 1 : at;
  }
  const answers: Answers = { findings: [], unread: [], alone: [] };
  for (const [i, capture] of captures.entries()) {
    const file = join(folders[i]!, 'eve.json');
    const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
    if (!PACKETS_READ.test(text)) answers.unread.push(capture);
    else for (const finding of findingsOf(text, capture)) answers.findings.push(finding);
  }
  return answers;
}

/** @returns false when it ended before all captures were read. */
async function runOnce(run: SuricataRun, folders: readonly string[], from: number): Promise<boolean> {
  const socket = join(run.work, 's');
  rmSync(socket, { force: true });
  const child = start(run, [`--unix-socket=${socket}`, '-l', run.work]);
  try {
    const control = await openControl(socket, child);
    for (let i = from; i < folders.length; i++)
      await control.ask('pcap-file', { filename: run.captures[i]!, 'output-dir': folders[i]! });
    for (;;) {
      const [waiting, current] = [await control.ask('pcap-file-number'), await control.ask('pcap-current')];
      if (waiting === 0 && current === 'None') break;
      await delay(POLL_MS);
    }
    return true;
  } catch (error) {
    if (!(error instanceof Gone)) throw error;
    return false;
  } finally {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
}

function start(run: SuricataRun, args: readonly string[]): ChildProcess {
  const settings = [...SETTINGS, ...run.settings].flatMap((s) => ['--set', s]);
  const all = [...args, '-k', 'none', '-S', run.rules, ...settings];
  return spawn(run.suricata, all, { stdio: ['ignore', 'ignore', openSync(join(run.work, 'stderr'), 'a')] });
}

/**
 * What it says of one capture in a process of its own. One that has read others before has threads whose time is that of the
 * last capture, so that flows end before their time: its answers differ from one run to the next.
 */
export async function runAlone(run: SuricataRun, capture: string): Promise<Finding[]> {
  const folder = mkdtempSync(join(run.work, 'alone-'));
  const child = start(run, ['-r', capture, '-l', folder]);
  if (child.exitCode === null) await once(child, 'exit');
  return findingsOf(readFileSync(join(folder, 'eve.json'), 'utf8'), capture);
}

function findingsOf(text: string, capture: string): Finding[] {
  return text
    .split('\n')
    .filter((line) => line.includes('"event_type":"alert"'))
    .map((line) => JSON.parse(line) as EveAlert)
    .map((e) => ({
      sid: e.alert.signature_id,
      capture,
      packet: e.pcap_cnt ?? 0,
      flow:
        e.src_ip === undefined
          ? NO_FLOW
          : flowKey(e.proto, [e.src_ip ?? '', e.src_port ?? 0], [e.dest_ip ?? '', e.dest_port ?? 0]),
    }));
}

/** The process has ended. */
class Gone extends Error {}

interface Control {
  /** Sends one command; @returns its answer, and fails when it was refused. */
  ask(command: string, args?: Record<string, string>): Promise<unknown>;
}

async function openControl(path: string, child: ChildProcess): Promise<Control> {
  const until = Date.now() + START_MS;
  let socket: Socket | undefined;
  while (socket === undefined) {
    if (child.exitCode !== null || Date.now() > until) throw new Error('Suricata did not start');
    socket = await tryConnect(path);
    if (socket === undefined) await delay(POLL_MS);
  }
  const open = socket;
  const gone = new Promise<never>((_resolve, reject) => {
    open.on('error', () => undefined);
    open.on('close', () => {
      reject(new Gone());
    });
  });
  gone.catch(() => undefined);
  const lines = createInterface({ input: open });
  const request = async (message: object): Promise<unknown> => {
    const answered = once(lines, 'line') as Promise<[string]>;
    open.write(`${JSON.stringify(message)}\n`);
    const [line] = await Promise.race([answered, gone]).catch(() => {
      throw new Gone();
    });
    const answer = JSON.parse(line) as { return: string; message?: unknown };
    if (answer.return !== 'OK') throw new Error(`Suricata: ${line}`);
    return answer.message;
  };
  await request({ version: '0.2' });
  return { ask: (command, args) => request({ command, ...(args === undefined ? {} : { arguments: args }) }) };
}

async function tryConnect(path: string): Promise<Socket | undefined> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return socket;
  } catch {
    return undefined;
  }
}
