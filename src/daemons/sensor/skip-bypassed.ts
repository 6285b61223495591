import type { LoadedConfig } from '../../config/index.js';
import type { Direction } from '../../domain/flow.js';
import { PROTO, TCP } from '../../domain/packet.js';
import type { PacketObserver } from '../../domain/stage.js';
import { mayBypass, type BypassRule } from '../flow-bypass.js';
import type { SignatureObserver } from '../signature-observer.js';

const FOLLOWED = 1;
const PASSED = 2;
const DIRECTIONS = [0, 1] as const;
/** They end a connection, and parsers want to know. */
const CONTROL = TCP.SYN | TCP.FIN | TCP.RST;

/** Which directions of connections the sensor's signatures may skip; undefined: none. */
export function sensorBypass(config: Pick<LoadedConfig, 'detect' | 'inline'>): BypassRule | undefined {
  const { bypass } = config.detect.signature;
  return bypass === 'always' || (bypass === 'auto' && config.inline.enabled) ? config.inline.bypass : undefined;
}

/**
 * Spares the signatures what `inline.bypass` lets go on without a look: a direction whose first bytes were judged, here and from
 * the connection's beginning, and found harmless. All other observers see its packets as before. Only bytes that
 * were handed to the rules count, with `inspect: acked` those that the receiver has acknowledged: what an attacker
 * sends past the victim brings nobody nearer to being skipped.
 */
export function skipBypassed(inner: SignatureObserver, rule: BypassRule): PacketObserver {
  const counts = { bypass_directions: 0, bypass_packets: 0, bypass_bytes: 0 };
  /** By twice the slot plus the direction. */
  const states: number[] = [];
  /** What a skipped direction acknowledged last: one that acknowledges more hands on what the other has sent. */
  const acks: number[] = [];

  function look(slot: number, direction: Direction, tsUs: number): void {
    const key = 2 * slot + direction;
    if (states[key] !== FOLLOWED) return;
    if (!mayBypass(rule, inner.judgedBytes(slot, direction), inner.appOf(slot))) return;
    states[key] = PASSED;
    counts.bypass_directions++;
    inner.cease(slot, direction, tsUs);
  }

  return {
    onPacket(packet, flows, slot, direction, isNew) {
      if (slot >= 0) {
        const isTcp = packet.proto === PROTO.TCP;
        // A connection that began before we watched is looked at to its end.
        if (isNew) {
          const isFromStart = !isTcp || (packet.tcpFlags & TCP.SYN) !== 0;
          states[2 * slot] = states[2 * slot + 1] = isFromStart ? FOLLOWED : 0;
        }
        const key = 2 * slot + direction;
        const isNews = isTcp && (packet.ack !== acks[key] || (packet.tcpFlags & CONTROL) !== 0);
        if (states[key] === PASSED && !isNews) {
          counts.bypass_packets++;
          counts.bypass_bytes += packet.ipTotalLen;
          return;
        }
        acks[key] = packet.ack;
      }
      inner.onPacket(packet, flows, slot, direction, isNew);
      // An acknowledgement hands on what the other side has sent.
      if (slot >= 0) for (const d of DIRECTIONS) look(slot, d, packet.tsUs);
    },
    onFlowEnd(flows, slot, reason, nowUs) {
      inner.onFlowEnd?.(flows, slot, reason, nowUs);
      if (reason !== 'active') states[2 * slot] = states[2 * slot + 1] = 0;
    },
    onTick: (nowUs) => inner.onTick?.(nowUs),
    stats: () => ({ ...inner.stats(), ...counts }),
  };
}
