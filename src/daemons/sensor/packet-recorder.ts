import type { Detection } from '../../domain/detection.js';
import type { DecodedPacket } from '../../domain/packet.js';
import type { PacketObserver } from '../../domain/stage.js';
import { parseIp } from '../../util/ip.js';

/** `capture.evidence:` packets kept around alerts. */
export interface RecorderOptions {
  /** Bytes of packets kept in memory. */
  ringBytes: number;
  /** First bytes of each packet that are kept. */
  snapBytes: number;
  /** Packets kept of one alert. */
  packets: number;
}

/** A packet as it travels to the server. */
export interface RecordedPacket {
  tsUs: number;
  wireLen: number;
  /** Base64. */
  data: string;
}

export interface Evidence {
  detectionId: string;
  linkType: number;
  packets: RecordedPacket[];
}

/** Entries looked at for one alert. */
const MAX_LOOKED_AT = 65_536;
/** Evidence is taken of so many detections a second at most; the rest is counted. */
const MAX_A_SECOND = 10;
/** The same offender and finding again within this time adds nothing. */
const AGAIN_US = 60_000_000;
/** Packets that follow the deciding one are taken this long after it. */
const AFTERMATH_US = 1_500_000;
const MAX_PENDING = 1000;
const ENTRIES_PER_MIB = 8192;

/**
 * Remembers the beginnings of the newest packets in a ring and, when something is found, picks those of the offender out
 * of it: what came before the finding at once, what followed a moment later. Costs a short copy a packet.
 */
export interface PacketRecorder {
  observer: PacketObserver;
  /** Link type of the blocks that come now. */
  linkType: number;
  note(detection: Detection): void;
  tick(nowUs: number): void;
  stats(): Record<string, number>;
}

interface Pending {
  detection: Detection;
  dueUs: number;
  /** Entries up to this number have been sent. */
  sentTo: number;
  left: number;
}

/** One number of an address, the same for the same address; the ports and the flow's partner tell the rest. */
function mixed(a: number, b: number, c: number, d: number): number {
  return (a ^ Math.imul(b, 31) ^ Math.imul(c, 17) ^ d) | 0;
}

function wordOf(text: string): number | undefined {
  const ip = parseIp(text);
  return ip ? mixed(...(ip.words.map((w) => w | 0) as [number, number, number, number])) : undefined;
}

export function createPacketRecorder(options: RecorderOptions, send: (evidence: Evidence) => void): PacketRecorder {
  const ring = new Uint8Array(options.ringBytes);
  const room = 2 ** Math.ceil(Math.log2(Math.max(1024, (options.ringBytes / 1048576) * ENTRIES_PER_MIB)));
  const mask = room - 1;
  const at = new Int32Array(room);
  const length = new Uint16Array(room);
  const wireLen = new Uint32Array(room);
  const tsUs = new Float64Array(room);
  const src = new Int32Array(room);
  const dst = new Int32Array(room);
  const ports = new Uint32Array(room);
  const { snapBytes } = options;
  /** Entries written so far; entry `n` lies at `n & mask`. */
  let count = 0;
  /** The oldest entry whose bytes have not been written over. */
  let oldest = 0;
  let writeAt = 0;
  let tokens = MAX_A_SECOND;
  let refilledUs = 0;
  let taken = 0;
  let refused = 0;
  const lately = new Map<string, number>();
  const pending: Pending[] = [];

  function onPacket(packet: DecodedPacket): void {
    const bytes = packet.capLen < snapBytes ? packet.capLen : snapBytes;
    if (writeAt + bytes > ring.length) {
      // What lies behind is the oldest; from here on it would no longer be the next to go.
      while (oldest < count && at[oldest & mask]! >= writeAt) oldest++;
      writeAt = 0;
    }
    const slot = count & mask;
    // Entries whose bytes, or whose place in the columns, are used again.
    if (count - oldest >= room) oldest = count - room + 1;
    while (oldest < count) {
      const o = oldest & mask;
      const from = at[o]!;
      if (from + length[o]! <= writeAt || from >= writeAt + bytes) break;
      oldest++;
    }
    const start = packet.frameOffset;
    ring.set(packet.data.subarray(start, start + bytes), writeAt);
    at[slot] = writeAt;
    length[slot] = bytes;
    wireLen[slot] = packet.wireLen;
    tsUs[slot] = packet.tsUs;
    src[slot] = mixed(packet.src0, packet.src1, packet.src2, packet.src3);
    dst[slot] = mixed(packet.dst0, packet.dst1, packet.dst2, packet.dst3);
    ports[slot] = (packet.srcPort << 16) | packet.dstPort;
    writeAt += bytes;
    count++;
  }

  /** Numbers of the newest entries about a detection, oldest first. */
  function find(detection: Detection, after: number, most: number): number[] {
    const { srcIp, dstIp, offender, flowId, srcPort, dstPort } = detection;
    const [from, to, who] = [wordOf(srcIp), wordOf(dstIp), wordOf(offender)];
    // A behaviour is one of many flows: its packets are those of the offender.
    const ofFlow = detection.tier !== 'behaviour' && flowId !== undefined;
    const isFlow = ofFlow && from !== undefined && to !== undefined && srcPort + dstPort > 0;
    const [forth, back] = [((srcPort << 16) | dstPort) >>> 0, ((dstPort << 16) | srcPort) >>> 0];
    const found: number[] = [];
    const end = Math.max(oldest, after, count - MAX_LOOKED_AT);
    for (let n = count - 1; n >= end && found.length < most; n--) {
      const i = n & mask;
      const matches = isFlow
        ? (src[i] === from && dst[i] === to && ports[i] === forth) ||
          (src[i] === to && dst[i] === from && ports[i] === back)
        : src[i] === who || dst[i] === who;
      if (matches) found.push(n);
    }
    return found.reverse();
  }

  function deliver(detection: Detection, numbers: readonly number[]): void {
    if (numbers.length === 0) return;
    const packets = numbers.map((n): RecordedPacket => {
      const i = n & mask;
      const bytes = ring.subarray(at[i], at[i]! + length[i]!);
      return { tsUs: tsUs[i]!, wireLen: wireLen[i]!, data: Buffer.from(bytes).toString('base64') };
    });
    send({ detectionId: detection.id, linkType: recorder.linkType, packets });
  }

  const recorder: PacketRecorder = {
    linkType: 1,
    observer: { onPacket, stats: () => ({}) },
    note(detection) {
      const key = `${detection.offender} ${detection.gid}:${detection.signatureId} ${detection.label}`;
      const before = lately.get(key);
      if (before !== undefined && detection.detectedUs - before < AGAIN_US) return;
      if (tokens < 1 || pending.length >= MAX_PENDING) {
        refused++;
        return;
      }
      tokens--;
      taken++;
      lately.delete(key);
      lately.set(key, detection.detectedUs);
      if (lately.size > MAX_PENDING) {
        const first = lately.keys().next().value;
        if (first !== undefined) lately.delete(first);
      }
      // Half of them from before, so that there is room for what follows.
      const numbers = find(detection, 0, Math.ceil(options.packets / 2));
      deliver(detection, numbers);
      const left = options.packets - numbers.length;
      pending.push({ detection, dueUs: detection.detectedUs + AFTERMATH_US, sentTo: count, left });
    },
    tick(nowUs) {
      if (nowUs - refilledUs >= 1_000_000) {
        tokens = MAX_A_SECOND;
        refilledUs = nowUs;
      }
      while (pending[0] && pending[0].dueUs <= nowUs) {
        const { detection, sentTo, left } = pending.shift()!;
        deliver(detection, find(detection, sentTo, left));
      }
    },
    stats: () => ({ evidence_taken: taken, evidence_refused: refused, evidence_packets: count - oldest }),
  };
  return recorder;
}
