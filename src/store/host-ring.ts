import { connect, type Socket } from 'node:net';

export interface HostRingOptions {
  hosts: readonly { host: string; port: number }[];
  /** Instead of hosts. */
  socketPath?: string | undefined;
  connectMs: number;
  /** A connection that is silent for so long is given up: a server that hangs must not hold up the queues for ever. */
  silenceMs: number;
}

/**
 * Sockets to the first database host that answers. A host that refuses, is silent, or ends a connection before it said
 * anything is left for the next in the list; whoever asks again, as the queues do, comes to that one.
 */
export interface HostRing {
  connect(): Socket;
  /** From now on silence counts; before, changes of the schema may take as long as they need. */
  arm(): void;
  /** The host that is tried next. */
  current(): string;
}

export function createHostRing({ hosts, socketPath, connectMs, silenceMs }: HostRingOptions): HostRing {
  let at = 0;
  let armed = false;
  const live = new Set<Socket>();

  function dial(): Socket {
    if (socketPath !== undefined) return connect(socketPath);
    const { host, port } = hosts[at % hosts.length]!;
    return connect({ host, port, keepAlive: true, keepAliveInitialDelay: 10_000, noDelay: true });
  }

  return {
    current: () => {
      const { host, port } = hosts[at % hosts.length]!;
      return `${host}:${port}`;
    },
    arm() {
      armed = true;
      for (const socket of live) socket.setTimeout(silenceMs);
    },
    connect() {
      const tried = at;
      let answered = false;
      const socket = dial();
      // MySQL's server speaks first: until then it is no answer.
      socket.setTimeout(connectMs);
      socket.once('data', () => {
        answered = true;
        socket.setTimeout(armed ? silenceMs : 0);
      });
      socket.on('timeout', () => {
        socket.destroy(Object.assign(new Error('the database server is silent'), { code: 'ETIMEDOUT' }));
      });
      live.add(socket);
      socket.once('close', () => {
        live.delete(socket);
        // Several sockets may fail at once: only the first moves on.
        if (!answered && at === tried) at = (at + 1) % Math.max(1, hosts.length);
      });
      return socket;
    },
  };
}

/** `host` or `host:port`; IPv6 with a port in brackets. */
export function parseHost(text: string, port: number): { host: string; port: number } {
  const bracketed = /^\[([^\]]+)\](?::(\d+))?$/.exec(text);
  if (bracketed) return { host: bracketed[1]!, port: bracketed[2] === undefined ? port : Number(bracketed[2]) };
  const plain = /^([^:]+):(\d+)$/.exec(text);
  return plain ? { host: plain[1]!, port: Number(plain[2]) } : { host: text, port };
}
