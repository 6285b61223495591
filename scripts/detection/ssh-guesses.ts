import { openFileSource } from '../../src/capture/index.js';
import { createPipeline } from '../../src/daemons/pipeline.js';
import type { FlowColumns } from '../../src/domain/flow.js';
import type { DecodedPacket } from '../../src/domain/packet.js';

const SSH_PORT = 22;
/** A server's version and key exchange; what it says behind them answers requests, and refusals are short. */
const KEY_EXCHANGE_BYTES = 1000;
const SHORT_BYTES = 120;

/** A request to log in that was answered: its length, and when the answer came. */
interface Answered {
  bytes: number;
  us: number;
}

interface Connection {
  /** The server accepted the authentication service. */
  isAccepted: boolean;
  requestBytes: number;
  answered: Answered[];
}

/**
 * When each SSH password of a run was refused, microseconds, in order: counted from requests and answers, not as the detector counts.
 * No guess of the run may be right: then each answer refuses one, and so does the farewell after a connection's last.
 * A connection's first request is none when it is shorter than all later ones: it asks which methods there are (RFC 4252 5.2).
 */
export async function sshGuesses(path: string): Promise<number[]> {
  const connections: Connection[] = [];
  const bySlot = new Map<number, Connection>();
  const observer = {
    onPacket(p: DecodedPacket, flows: FlowColumns, slot: number, _direction: unknown, isNew: boolean): void {
      if (slot < 0) return;
      if (isNew) {
        const connection = { isAccepted: false, requestBytes: 0, answered: [] };
        bySlot.set(slot, connection);
        connections.push(connection);
      }
      const connection = bySlot.get(slot);
      if (!connection || p.payloadLen === 0) return;
      if (p.dstPort === SSH_PORT) connection.requestBytes = p.payloadLen;
      if (p.srcPort === SSH_PORT) noteAnswer(connection, p, flows.payloadBwd[slot]!);
    },
    stats: () => ({}),
  };
  const pipeline = createPipeline({ flow: { maxFlows: 65_536 } }, { observers: [observer] });
  const source = await openFileSource(path);
  try {
    await source.run((block) => pipeline.push(block), new AbortController().signal);
  } finally {
    source.close();
  }
  return guessesOf(connections);
}

function noteAnswer(connection: Connection, p: DecodedPacket, received: number): void {
  if (received < KEY_EXCHANGE_BYTES || p.payloadLen > SHORT_BYTES) return;
  if (connection.isAccepted) connection.answered.push({ bytes: connection.requestBytes, us: p.tsUs });
  connection.isAccepted = true;
}

/** @returns the times of the answers that refused a password. */
export function guessesOf(connections: readonly Pick<Connection, 'answered'>[]): number[] {
  const later = connections.flatMap(({ answered }) => answered.slice(1).map(({ bytes }) => bytes));
  const shortest = later.length === 0 ? 0 : Math.min(...later);
  return connections
    .flatMap(({ answered }) => answered.filter(({ bytes }, i) => i > 0 || bytes >= shortest))
    .map(({ us }) => us)
    .sort((a, b) => a - b);
}
