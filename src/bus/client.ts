import { connect, type Socket } from 'node:net';
import type { z } from 'zod';
import {
  IPC_VERSION,
  responderCommandSchema,
  sensorCommandSchema,
  type ResponderCommand,
  type ResponderMessage,
  type SensorCommand,
  type SensorMessage,
} from '../contract/ipc.js';
import { inlineCommandSchema, type InlineCommand, type InlineMessage } from '../contract/inline.js';
import { silentLogger, type Logger } from '../util/logger.js';
import { createInbox, type Received } from './inbox.js';
import { createLineReader } from './line-reader.js';
import { createOutbox } from './outbox.js';

interface Roles {
  sensor: { out: SensorMessage; in: SensorCommand };
  responder: { out: ResponderMessage; in: ResponderCommand };
  inline: { out: InlineMessage; in: InlineCommand };
}
export type BusRole = keyof Roles;
/** What this end may send; hello goes out by itself. */
export type Outgoing<R extends BusRole> = Exclude<Roles[R]['out'], { type: 'hello' }>;
export type Incoming<R extends BusRole> = Received<Roles[R]['in']>;

export interface BusClientOptions<R extends BusRole> {
  role: R;
  path: string;
  /** Name of this box or sensor: unique among those that dial the same server. */
  name: string;
  /** Facts for the server: version, interfaces, backend. Read again for every connection. */
  info(): Record<string, unknown>;
  onMessage(message: Incoming<R>): void;
  onConnect?(): void;
  onDisconnect?(): void;
  log?: Logger;
  /** Longest message that is accepted; a snapshot of all decisions is long. */
  maxLineBytes?: number;
  maxQueuedBytes?: number;
  /** Bounds of the wait between attempts. A local dial costs next to nothing, and a block must not wait for it. */
  minBackoffMs?: number;
  maxBackoffMs?: number;
  /** How long a server that never answered is taken to be starting: failed dials are not logged. */
  startupMs?: number;
}

/** A daemon's end of the bus, whatever carries it. */
export interface BusClient<R extends BusRole> {
  /** Never waits: sent at once, or queued until the server is there. @returns false when something was dropped. */
  send(message: Outgoing<R>): boolean;
  readonly connected: boolean;
  stats(): Record<string, number>;
  /** Resolves after the signal, when the connection is closed. */
  done: Promise<void>;
}

/** A connection that lived this long was good: the next attempt follows quickly. */
const STABLE_MS = 1000;
/** Daemons start together and the server is the last that is ready: until then a failed dial is no news. */
const STARTUP_MS = 15_000;

const COMMAND_SCHEMA = {
  sensor: sensorCommandSchema,
  responder: responderCommandSchema,
  inline: inlineCommandSchema,
} as const;

/** Dials the server and dials again whenever the connection ends, until the signal. */
export function runBusClient<R extends BusRole>(options: BusClientOptions<R>, signal: AbortSignal): BusClient<R> {
  const { log = silentLogger, minBackoffMs = 25, maxBackoffMs = 100, startupMs = STARTUP_MS } = options;
  const outbox = createOutbox(options.maxQueuedBytes ?? 32 * 1024 * 1024);
  const schema: z.ZodType<SensorCommand | ResponderCommand | InlineCommand> = COMMAND_SCHEMA[options.role];
  const inbox = createInbox(schema, log, (message) => {
    options.onMessage(message as unknown as Incoming<R>);
  });
  let connected = false;
  let connections = 0;
  let backoffMs = minBackoffMs;
  let reported = false;
  let openedMs = 0;
  const dialledMs = performance.now();
  const isServerStarting = (): boolean => connections === 0 && performance.now() - dialledMs < startupMs;

  const hello = () => ({
    type: 'hello' as const,
    role: options.role,
    version: IPC_VERSION,
    name: options.name,
    pid: process.pid,
    info: options.info(),
  });

  function onOpen(socket: Socket): void {
    connected = true;
    connections++;
    openedMs = performance.now();
    reported = false;
    outbox.attach(socket, hello());
    log.info({ path: options.path }, 'bus connected');
    options.onConnect?.();
  }

  /** One connection from dialling to its end. */
  function session(): Promise<void> {
    return new Promise((resolve) => {
      const socket = connect(options.path);
      const abort = (): void => {
        socket.end();
        socket.destroySoon();
      };
      signal.addEventListener('abort', abort, { once: true });
      socket.on('connect', () => {
        onOpen(socket);
      });
      socket.on(
        'data',
        createLineReader(options.maxLineBytes ?? 256 * 1024 * 1024, inbox.accept, () => {
          log.error({ path: options.path }, 'bus message too long, connection cut');
          socket.destroy();
        }),
      );
      socket.on('error', (error) => {
        if (reported || isServerStarting()) return;
        log.warn({ err: error, path: options.path }, 'bus connection failed, will retry');
        reported = true;
      });
      socket.on('close', () => {
        signal.removeEventListener('abort', abort);
        outbox.detach();
        if (connected) {
          connected = false;
          if (performance.now() - openedMs > STABLE_MS) backoffMs = minBackoffMs;
          options.onDisconnect?.();
        }
        resolve();
      });
    });
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      await session();
      if (signal.aborted) return;
      await pause(backoffMs * (0.5 + Math.random()), signal);
      backoffMs = Math.min(maxBackoffMs, backoffMs * 2);
    }
  }

  return {
    send: (message) => outbox.push(message),
    get connected() {
      return connected;
    },
    stats: () => ({ connections, ...inbox.stats(), ...outbox.stats() }),
    done: run(),
  };
}

/** Waits, or returns early when the signal fires. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, ms);
    signal.addEventListener('abort', finish, { once: true });
  });
}
