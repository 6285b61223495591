import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import {
  LIVE_CLOSE,
  LIVE_PATH,
  liveClientMessageSchema,
  roleAllows,
  type LiveChange,
  type LiveControl,
  type LiveEvent,
  type LiveTopic,
} from '../contract/http.js';
import { AppError } from '../util/errors.js';
import type { Logger } from '../util/logger.js';
import type { AccessControl, Principal } from './auth/access.js';
import { Shares } from './client-network.js';
import type { ApiOptions } from './options.js';

/** Anything that upgrades: `http.Server`, `https.Server`. */
export interface UpgradeSource {
  on(event: 'upgrade', listener: (request: IncomingMessage, socket: Duplex, head: Buffer) => void): unknown;
}

export interface LiveFeed {
  /** To every client that asked for the topic. Never waits. */
  publish(event: LiveEvent, type: LiveChange): void;
  closeSession(sessionId: string): void;
  closeUser(account: string): void;
  /** Closes the connections whose token opens nothing any more: sessions that ended here, elsewhere or by command. */
  recheck(): Promise<void>;
  attach(server: UpgradeSource): void;
  stats(): Record<string, number>;
  close(): void;
}

const AUTH_TIMEOUT_MS = 5000;
const PING_MS = 20_000;
const MAX_MESSAGE_BYTES = 8192;
/** Connections of one client that have not yet said who they are; see {@link Shares}. */
const WAITING_MAX = 20;

interface Entry {
  seq: number;
  topic: LiveTopic;
  text: string;
}

interface Client {
  socket: WebSocket;
  token: string;
  principal: Principal;
  topics: ReadonlySet<LiveTopic>;
  /** Too slow: receives nothing until its buffer is empty, then `resync`. */
  lagging: boolean;
  alive: boolean;
  expiry: NodeJS.Timeout;
}

interface Parts {
  access: AccessControl;
  options: ApiOptions;
  log: Logger;
  now(): number;
}

/** Same-origin check: browsers always send Origin, and a page of another site must not open the feed. */
export function isSameOrigin(request: IncomingMessage): boolean {
  const { origin, host } = request.headers;
  if (origin === undefined || host === undefined) return false;
  try {
    return new URL(origin).host === host;
  } catch {
    return false;
  }
}

/**
 * Changes as they happen. Each update has a sequence number; a client that comes back says the last one it saw and
 * gets what it missed from a ring buffer, or `resync` when that is gone. A slow client never holds up the server.
 */
export function createLiveFeed({ access, options, log, now }: Parts): LiveFeed {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false });
  const clients = new Set<Client>();
  const waiting = new Shares(options.plainHttp ? Infinity : WAITING_MAX);
  const history: Entry[] = [];
  // Starts at the clock, so numbers from before a restart are never mistaken for new ones.
  let seq = now();
  let resyncs = 0;

  const control = (client: Client, message: LiveControl): void => {
    client.socket.send(JSON.stringify(message));
  };

  function deliver(client: Client, entry: Entry): void {
    if (!client.topics.has(entry.topic) || client.socket.readyState !== WebSocket.OPEN) return;
    if (client.lagging || client.socket.bufferedAmount > options.liveBufferBytes) {
      if (!client.lagging) catchUp(client);
      return;
    }
    client.socket.send(entry.text);
  }

  /** Leaves updates out until the client has read what it was sent. */
  function catchUp(client: Client): void {
    client.lagging = true;
    resyncs++;
    // The callback runs when everything before it has left.
    client.socket.ping(undefined, undefined, (error) => {
      client.lagging = false;
      if (!error && client.socket.readyState === WebSocket.OPEN) control(client, { type: 'resync', seq });
    });
  }

  function resume(client: Client, since: number): void {
    const oldest = history[0]?.seq ?? seq + 1;
    if (since > seq || since < oldest - 1) {
      control(client, { type: 'resync', seq });
      return;
    }
    for (const entry of history) if (entry.seq > since) deliver(client, entry);
  }

  function expiryTimer(socket: WebSocket, principal: Principal): NodeJS.Timeout {
    const timer = setTimeout(
      () => {
        socket.close(LIVE_CLOSE.UNAUTHENTICATED, 'token expired');
      },
      Math.min(2 ** 31 - 1, Math.max(0, principal.expiresMs - now())),
    );
    timer.unref();
    return timer;
  }

  async function verify(token: string): Promise<Principal> {
    const principal = await access.authenticate(token);
    if (principal.scope !== 'all' || principal.mustChangePassword || !roleAllows(principal.role, 'viewer'))
      throw new Error('not allowed yet');
    return principal;
  }

  function onConnection(socket: WebSocket, known: () => void): void {
    let client: Client | undefined;
    let busy = false;
    const authTimer = setTimeout(() => {
      socket.close(LIVE_CLOSE.TIMEOUT, 'no auth message');
    }, AUTH_TIMEOUT_MS);

    async function onMessage(text: string): Promise<void> {
      const message = parseClientMessage(text);
      if (!message || busy || (client === undefined) !== (message.type === 'auth')) {
        socket.close(LIVE_CLOSE.BAD_MESSAGE, 'unexpected message');
        return;
      }
      busy = true;
      const principal = await verify(message.token).catch(() => undefined);
      busy = false;
      if (!principal || (client && principal.account !== client.principal.account)) {
        socket.close(LIVE_CLOSE.UNAUTHENTICATED, 'not authenticated');
        return;
      }
      if (socket.readyState !== WebSocket.OPEN) return;
      clearTimeout(authTimer);
      known();
      if (message.type === 'renew') {
        if (!client) return;
        clearTimeout(client.expiry);
        client.token = message.token;
        client.principal = principal;
        client.expiry = expiryTimer(socket, principal);
        control(client, { type: 'renewed' });
        return;
      }
      if (clients.size >= options.liveClients) {
        socket.close(LIVE_CLOSE.BUSY, 'too many clients');
        return;
      }
      const topics = new Set(message.topics);
      const expiry = expiryTimer(socket, principal);
      client = { socket, token: message.token, principal, topics, lagging: false, alive: true, expiry };
      clients.add(client);
      control(client, { type: 'hello', seq });
      if (message.since !== undefined) resume(client, message.since);
    }

    socket.on('message', (data, isBinary) => {
      if (isBinary) {
        socket.close(LIVE_CLOSE.BAD_MESSAGE, 'text only');
        return;
      }
      onMessage((data as Buffer).toString('utf8')).catch((error: unknown) => {
        log.error({ err: error }, 'live message failed');
        socket.terminate();
      });
    });
    socket.on('pong', () => {
      if (client) client.alive = true;
    });
    socket.on('error', (error) => {
      log.debug({ err: error }, 'live connection failed');
    });
    socket.on('close', () => {
      clearTimeout(authTimer);
      if (!client) return;
      clearTimeout(client.expiry);
      clients.delete(client);
    });
  }

  async function recheck(): Promise<void> {
    for (const { socket, token } of [...clients]) {
      await verify(token).catch((error: unknown) => {
        // The database may be away: that says nothing of the session.
        if (!(error instanceof AppError) || error.kind === 'user') {
          socket.close(LIVE_CLOSE.UNAUTHENTICATED, 'session ended');
        }
      });
    }
  }

  const pingTimer = setInterval(() => {
    void recheck();
    for (const client of clients) {
      if (client.alive) {
        client.alive = false;
        client.socket.ping();
      } else client.socket.terminate();
    }
  }, PING_MS);
  pingTimer.unref();

  function closeWhere(matches: (principal: Principal) => boolean): void {
    for (const { principal, socket } of clients) {
      if (matches(principal)) socket.close(LIVE_CLOSE.UNAUTHENTICATED, 'session ended');
    }
  }

  return {
    publish({ topic, data }, type) {
      seq++;
      const entry: Entry = { seq, topic, text: JSON.stringify({ seq, topic, type, data }) };
      history.push(entry);
      if (history.length > options.liveHistory) history.shift();
      for (const client of clients) deliver(client, entry);
    },
    closeSession(sessionId) {
      closeWhere((principal) => principal.sessionId === sessionId);
    },
    closeUser(account) {
      closeWhere((principal) => principal.account === account);
    },
    recheck,
    attach(server) {
      server.on('upgrade', (request, socket, head) => {
        const path = (request.url ?? '').split('?', 1)[0];
        const refuse = (status: string): void => {
          socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
        };
        if (path !== LIVE_PATH) return refuse('404 Not Found');
        if (!isSameOrigin(request)) return refuse('403 Forbidden');
        // Those who have not said who they are take no place of those who have.
        const known = clients.size < options.liveClients ? waiting.take(request.socket.remoteAddress) : undefined;
        if (!known) return refuse('503 Service Unavailable');
        socket.once('close', known);
        sockets.handleUpgrade(request, socket, head, (live) => {
          onConnection(live, known);
        });
      });
    },
    stats: () => ({
      live_clients: clients.size,
      live_published: seq,
      live_resyncs: resyncs,
      live_unsent_bytes: [...clients].reduce((sum, { socket }) => sum + socket.bufferedAmount, 0),
    }),
    close() {
      clearInterval(pingTimer);
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
    },
  };
}

function parseClientMessage(text: string) {
  try {
    const result = liveClientMessageSchema.safeParse(JSON.parse(text));
    return result.success ? result.data : undefined;
  } catch {
    return undefined;
  }
}
