import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Numbers the connections in the order in which they were opened, so that commit-confirm can tell whether a request
 * came over a connection opened after the change it confirms: only that proves that one can still connect.
 */
export interface Connections {
  /** Call for every new connection of the server. */
  opened(socket: Socket): void;
  /** Call when a connection became something else than HTTP: it is left alone from now on. */
  upgraded(socket: Socket): void;
  /** Call at the start of every request. */
  asked(socket: Socket, response: ServerResponse): void;
  /** Number of the request's connection. */
  numberOf(socket: Socket): number;
  /** Number of the newest connection. */
  newest(): number;
  /** Ends the idle connections of an address now and the busy ones after their answer: its next request opens a new one. */
  retire(address: string | undefined): void;
}

interface State {
  number: number;
  /** Requests that are being answered. */
  busy: number;
  retired: boolean;
}

export function createConnections(): Connections {
  const open = new Map<Socket, State>();
  let newest = 0;
  return {
    opened(socket) {
      open.set(socket, { number: ++newest, busy: 0, retired: false });
      socket.once('close', () => open.delete(socket));
    },
    upgraded: (socket) => void open.delete(socket),
    asked(socket, response) {
      const state = open.get(socket);
      if (!state) return;
      state.busy++;
      response.once('close', () => {
        state.busy--;
        if (state.retired) socket.destroySoon();
      });
    },
    numberOf: (socket) => open.get(socket)?.number ?? 0,
    newest: () => newest,
    retire(address) {
      for (const [socket, state] of open) {
        if (socket.remoteAddress !== address) continue;
        state.retired = true;
        if (state.busy === 0) socket.destroySoon();
      }
    },
  };
}

/** What a handler sees of its connection. */
export interface RequestConnection {
  number: number;
  newest: number;
  /** The client must open another one for its next request. */
  closeAfter(): void;
  /** The same for all that the client has open. */
  retireAll(): void;
}
