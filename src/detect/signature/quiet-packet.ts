import type { Direction } from '../../domain/flow.js';
import { PROTO, type DecodedPacket } from '../../domain/packet.js';
import type { RuleGroups } from './groups.js';
import type { FlowState, PacketContent } from './scene.js';
import { isFor } from './selection.js';
import type { StreamWindow } from './state/stream-window.js';

/**
 * True for a packet of TCP in which no rule can find anything: no rule about headers is for its connection, and it brought
 * nothing that is looked at. It is an acknowledgement, or a piece of what is encrypted.
 */
export function isQuiet(
  packet: DecodedPacket,
  direction: Direction,
  { app, events }: PacketContent,
  state: FlowState | undefined,
  groups: RuleGroups,
): boolean {
  if (state === undefined || packet.proto !== PROTO.TCP || events.length > 0) return false;
  if (packet.payloadLen > 0 && app?.isEncrypted !== true) return false;
  const chosen = state.selections[direction];
  if (chosen === undefined || chosen.header.length + chosen.protocol.length > 0 || !isFor(chosen, groups, app))
    return false;
  return isAtRest(state.streams[0]) && isAtRest(state.streams[1]);
}

function isAtRest(stream: StreamWindow | undefined): boolean {
  return stream === undefined || !(stream.fresh || stream.ended || stream.repeats !== undefined);
}
