import { createServer, type Server, type Socket } from 'node:net';
import {
  IPC_VERSION,
  responderMessageSchema,
  sensorMessageSchema,
  type ResponderCommand,
  type ResponderMessage,
  type SensorCommand,
  type SensorMessage,
} from '../contract/ipc.js';
import { inlineMessageSchema, type InlineCommand, type InlineMessage } from '../contract/inline.js';
import { silentLogger, type Logger } from '../util/logger.js';
import { createInbox, type Received } from './inbox.js';
import { createLineReader } from './line-reader.js';
import { busOptionsSchema, type BusOptions } from './options.js';
import { createOutbox } from './outbox.js';
import { makeSocketFolder } from './paths.js';
import { listenOnSocket } from './socket-file.js';

/** A connected daemon. */
export interface Peer {
  /** Unique for each connection. */
  id: number;
  role: 'sensor' | 'responder' | 'inline';
  name: string;
  pid: number;
  info: Record<string, unknown>;
  connectedMs: number;
}

/** Messages but hello, which arrives as `onConnect`. */
export type SensorReport = Exclude<Received<SensorMessage>, { type: 'hello' }>;
export type ResponderReport = Exclude<Received<ResponderMessage>, { type: 'hello' }>;
export type InlineReport = Exclude<Received<InlineMessage>, { type: 'hello' }>;

export interface BusServerHandlers {
  onConnect?(peer: Peer): void;
  onDisconnect?(peer: Peer): void;
  onSensor(message: SensorReport, peer: Peer): void;
  onResponder(message: ResponderReport, peer: Peer): void;
  onInline?(message: InlineReport, peer: Peer): void;
}

/** The server's end of the bus, whatever carries it. */
export interface BusServer {
  /** @returns false when no sensor of that name is connected. */
  toSensor(name: string, command: SensorCommand): boolean;
  /** To every connected sensor. @returns how many. */
  toSensors(command: SensorCommand): number;
  /** To one responder. @returns false when it is not connected. */
  toResponder(name: string, command: ResponderCommand): boolean;
  /** To every connected responder. @returns how many. */
  toResponders(command: ResponderCommand): number;
  /** To every connected inline daemon. @returns how many. */
  toInline(command: InlineCommand): number;
  peers(): Peer[];
  stats(): Record<string, number>;
  close(): Promise<void>;
}

const HELLO_TIMEOUT_MS = 5000;

interface Connection {
  peer: Peer;
  socket: Socket;
  push(message: { type: string }): boolean;
}

/**
 * Opens both sockets. Messages are checked against the contract before a handler sees them; handlers run
 * synchronously in the order of arrival.
 * @throws AppError bus.*
 */
export async function openBusServer(
  input: Partial<BusOptions>,
  handlers: BusServerHandlers,
  { log = silentLogger }: { log?: Logger } = {},
): Promise<BusServer> {
  const options = busOptionsSchema.parse(input);
  const connections = new Map<number, Connection>();
  /** Counters of each open connection, and the sums of those that ended. */
  const live = new Map<Socket, () => Record<string, number>>();
  const ended: Record<string, number> = { connections: 0, cut: 0 };
  let nextId = 1;

  function serve(socket: Socket, role: Peer['role']): void {
    const outbox = createOutbox(options.maxQueuedBytes);
    let peer: Peer | undefined;
    const helloTimer = setTimeout(() => {
      cut('no hello in time');
    }, HELLO_TIMEOUT_MS);

    function cut(problem: string): void {
      addTo(ended, { cut: 1 });
      log.warn({ role, peer: peer?.name, problem }, 'bus connection cut');
      socket.destroy();
    }

    function welcome(hello: Extract<Received<SensorMessage>, { type: 'hello' }>): void {
      if (hello.role !== role || hello.version !== IPC_VERSION) {
        cut(`hello of role ${hello.role}, version ${hello.version}; expected ${role}, ${IPC_VERSION}`);
        return;
      }
      clearTimeout(helloTimer);
      for (const other of connections.values()) {
        if (other.peer.role === role && other.peer.name === hello.name) other.socket.destroy();
      }
      const { name, pid, info } = hello;
      peer = { id: nextId++, role, name, pid, info, connectedMs: Date.now() };
      connections.set(peer.id, { peer, socket, push: (message) => outbox.push(message) });
      addTo(ended, { connections: 1 });
      outbox.attach(socket);
      handlers.onConnect?.(peer);
    }

    function take(message: Received<SensorMessage> | Received<ResponderMessage> | Received<InlineMessage>): void {
      if (socket.destroyed) return;
      if (message.type === 'hello') {
        if (peer) cut('second hello');
        else welcome(message);
      } else if (!peer) cut('message before hello');
      else if (role === 'sensor') handlers.onSensor(message as SensorReport, peer);
      else if (role === 'inline') handlers.onInline?.(message as InlineReport, peer);
      else handlers.onResponder(message as ResponderReport, peer);
    }

    const inbox =
      role === 'sensor'
        ? createInbox(sensorMessageSchema, log, take)
        : role === 'inline'
          ? createInbox(inlineMessageSchema, log, take)
          : createInbox(responderMessageSchema, log, take);
    socket.on(
      'data',
      createLineReader(options.maxLineBytes, inbox.accept, () => {
        cut('message too long');
      }),
    );
    socket.on('error', (error) => {
      log.debug({ err: error, role }, 'bus connection failed');
    });
    socket.on('close', () => {
      clearTimeout(helloTimer);
      outbox.detach();
      addTo(ended, { ...inbox.stats(), ...outbox.stats() });
      live.delete(socket);
      if (!peer) return;
      connections.delete(peer.id);
      handlers.onDisconnect?.(peer);
    });
    live.set(socket, () => ({ ...inbox.stats(), ...outbox.stats() }));
  }

  const servers: Server[] = [];
  /** Nobody is served before the caller has what this function returns: handlers use it. */
  let open: () => void;
  const opened = new Promise<void>((resolve) => (open = resolve));
  const listen = async (path: string, role: Peer['role']): Promise<void> => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      void opened.then(() => {
        serve(socket, role);
      });
    });
    makeSocketFolder(path);
    await listenOnSocket(server, { path, mode: options.mode, group: options.group });
    servers.push(server);
  };
  const close = async (): Promise<void> => {
    for (const socket of live.keys()) socket.destroy();
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  };
  try {
    await listen(options.sensorPath, 'sensor');
    await listen(options.responderPath, 'responder');
    if (options.inlinePath !== undefined) await listen(options.inlinePath, 'inline');
  } catch (error) {
    await close();
    throw error;
  }

  setImmediate(() => {
    open();
  });
  function send(role: Peer['role'], message: { type: string }, name?: string): number {
    let count = 0;
    for (const { peer, push } of connections.values()) {
      if (peer.role !== role || (name !== undefined && peer.name !== name)) continue;
      push(message);
      count++;
    }
    return count;
  }

  return {
    toSensor: (name, command) => send('sensor', command, name) > 0,
    toSensors: (command) => send('sensor', command),
    toResponder: (name, command) => send('responder', command, name) > 0,
    toResponders: (command) => send('responder', command),
    toInline: (command) => send('inline', command),
    peers: () => [...connections.values()].map((connection) => connection.peer),
    stats() {
      const total = { ...ended, queuedBytes: 0 };
      for (const read of live.values()) addTo(total, read());
      return Object.fromEntries(Object.entries(total).map(([name, value]) => [metricName(name), value]));
    },
    close,
  };
}

function addTo(sums: Record<string, number>, more: Record<string, number>): void {
  for (const [name, value] of Object.entries(more)) sums[name] = (sums[name] ?? 0) + value;
}

function metricName(name: string): string {
  return `bus_${name.replaceAll(/[A-Z]/g, (c) => `_${c.toLowerCase()}`)}`;
}
