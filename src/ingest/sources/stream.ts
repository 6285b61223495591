import { chmodSync, existsSync, lstatSync, readFileSync, unlinkSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { cidrContains, formatIp, parseCidr, parseIp } from '../../util/ip.js';
import { AppError, errorMessage } from '../../util/errors.js';
import { MessageSplitter } from '../lines.js';
import type { SourceOptions } from '../options.js';
import type { Intake, Source } from '../source.js';

/** A connection that says nothing for so long is closed; senders open it again. */
const IDLE_MS = 3_600_000;
const SOCKET_MODE = 0o660;

/** True when the sender is listened to. An empty list means this box alone. */
export function createSenderCheck(allowFrom: readonly string[]): (address: string) => boolean {
  const networks = allowFrom.flatMap((text) => parseCidr(text) ?? []);
  return (text) => {
    const ip = parseIp(text);
    if (!ip) return false;
    if (networks.length === 0) return formatIp(ip) === '::1' || formatIp(ip).startsWith('127.');
    return networks.some((network) => cidrContains(network, ip));
  };
}

/** Listens on a Unix socket (EVE) or on TCP and TLS (syslog). @throws AppError ingest.listen */
export async function openStreamSource(
  source: SourceOptions,
  intake: Intake,
  socketPath: string | undefined,
): Promise<Source> {
  const isAllowed = createSenderCheck(source.allow_from);
  const open = new Set<Socket>();
  let refused = 0;

  function onConnection(socket: Socket): void {
    const sender = socketPath === undefined ? canonical(socket.remoteAddress) : '';
    socket.on('error', () => undefined);
    if (open.size >= source.max_connections || (socketPath === undefined && !isAllowed(sender))) {
      refused++;
      socket.destroy();
      return;
    }
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    const splitter = new MessageSplitter(source.max_line_bytes, socketPath === undefined, {
      line: (text) => intake.line(text, sender),
      tooLong: () => intake.tooLong(),
    });
    void readAll(socket, splitter, intake);
  }

  const server = makeServer(source, onConnection);
  if (socketPath !== undefined) removeStaleSocket(socketPath);
  await listen(server, source, socketPath);
  if (socketPath !== undefined) chmodSync(socketPath, SOCKET_MODE);
  server.on('error', (error) => intake.report(errorMessage(error)));
  return {
    problem: () => '',
    refused: () => refused,
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** While the rate is used up nothing is read: the sender's own queue holds what it has. */
async function readAll(socket: Socket, splitter: MessageSplitter, intake: Intake): Promise<void> {
  try {
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      splitter.push(chunk);
      await intake.ready();
    }
  } catch {
    // The connection broke; what was whole was taken.
  }
}

function makeServer(source: SourceOptions, onConnection: (socket: Socket) => void): Server {
  if (source.kind !== 'syslog-tls') return createServer(onConnection);
  try {
    const tls = {
      cert: readFileSync(source.cert_file!),
      key: readFileSync(source.key_file!),
      minVersion: 'TLSv1.2' as const,
      ...(source.ca_file === undefined
        ? {}
        : { ca: readFileSync(source.ca_file), requestCert: true, rejectUnauthorized: true }),
    };
    return createTlsServer(tls, onConnection);
  } catch (error) {
    throw listenError(source, error);
  }
}

function listen(server: Server, source: SourceOptions, socketPath: string | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      reject(listenError(source, error));
    });
    const where = socketPath === undefined ? { host: source.listen, port: source.port } : { path: socketPath };
    server.listen(where, resolve);
  });
}

export function listenError(source: SourceOptions, error: unknown): AppError {
  return new AppError({
    kind: 'user',
    code: 'ingest.listen',
    message: `The source ${source.name} cannot listen: ${errorMessage(error)}.`,
    fix: 'Choose a free port or path that the server may use, and files that it may read.',
    cause: error,
  });
}

/** A socket left by a process that is gone; never anything else. */
function removeStaleSocket(path: string): void {
  if (existsSync(path) && lstatSync(path).isSocket()) unlinkSync(path);
}

export function canonical(address: string | undefined): string {
  const ip = parseIp((address ?? '').replace(/%.*$/, ''));
  return ip ? formatIp(ip) : '';
}
