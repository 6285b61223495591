import type { Socket } from 'node:net';

/**
 * Numbers the connections in the order in which they were opened, so that commit-confirm can tell whether a request
 * came over a connection opened after the change it confirms: only that proves that one can still connect.
 */
export interface Connections {
  /** Call for every new connection of the server. */
  opened(socket: Socket): void;
  /** Number of the request's connection. */
  numberOf(socket: Socket): number;
  /** Number of the newest connection. */
  newest(): number;
}

export function createConnections(): Connections {
  const numbers = new WeakMap<Socket, number>();
  let newest = 0;
  return {
    opened(socket) {
      numbers.set(socket, ++newest);
    },
    numberOf: (socket) => numbers.get(socket) ?? 0,
    newest: () => newest,
  };
}

/** What a handler sees of its connection. */
export interface RequestConnection {
  number: number;
  newest: number;
  /** The client must open another one for its next request. */
  closeAfter(): void;
}
