import { chmodSync, chownSync, readFileSync, unlinkSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { AppError, errorCode } from '../util/errors.js';

/** sun_path holds 108 bytes with its end (unix(7)). */
const MAX_PATH_BYTES = 107;

export interface SocketFileOptions {
  path: string;
  mode: number;
  group?: string | undefined;
}

function groupId(name: string): number {
  if (/^\d+$/.test(name)) return Number(name);
  for (const line of readFileSync('/etc/group', 'utf8').split('\n')) {
    const [group, , gid] = line.split(':');
    if (group === name) return Number(gid);
  }
  throw new AppError({
    kind: 'user',
    code: 'bus.unknown_group',
    message: `The group ${name} does not exist.`,
    fix: 'Create it, or change bus.group.',
  });
}

/** True when a process answers on the socket. */
function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => {
      resolve(false);
    });
  });
}

function bind(server: Server, { path, mode }: SocketFileOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    // The socket file is made inside listen(): the umask closes the gap before chmod.
    const before = process.umask(0o777 & ~mode);
    server.listen({ path, backlog: 64 }, () => {
      server.off('error', reject);
      resolve();
    });
    process.umask(before);
  });
}

/**
 * Listens on a Unix socket with exact permissions. A socket file left behind by a dead process is replaced.
 * @throws AppError bus.*
 */
export async function listenOnSocket(server: Server, options: SocketFileOptions): Promise<void> {
  const { path, mode, group } = options;
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) {
    throw new AppError({
      kind: 'user',
      code: 'bus.path_too_long',
      message: `The socket path ${path} is longer than ${MAX_PATH_BYTES} bytes.`,
      fix: 'Choose a shorter path.',
    });
  }
  const gid = group === undefined ? undefined : groupId(group);
  try {
    await bind(server, options).catch(async (error: unknown) => {
      if (errorCode(error) !== 'EADDRINUSE' || (await isAlive(path))) throw error;
      unlinkSync(path);
      await bind(server, options);
    });
    if (gid !== undefined) chownSync(path, -1, gid);
    chmodSync(path, mode);
  } catch (error) {
    server.close();
    throw toListenError(error, path);
  }
}

function toListenError(error: unknown, path: string): AppError {
  if (errorCode(error) === 'EADDRINUSE') {
    return new AppError({
      kind: 'operational',
      code: 'bus.in_use',
      message: `Another server already listens on ${path}.`,
      fix: 'Stop it, or give this one other socket paths.',
      cause: error,
    });
  }
  return new AppError({
    kind: 'operational',
    code: 'bus.cannot_listen',
    message: `Cannot listen on ${path}.`,
    fix: 'Its directory must exist and the portcullis user must be able to write there.',
    context: { driverCode: errorCode(error) },
    cause: error,
  });
}
