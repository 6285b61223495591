import { createDecoder } from '../../decode/index.js';
import { DecodedPacket, LINK, type PacketBlock } from '../../domain/packet.js';
import { AppError } from '../../util/errors.js';
import { cidrContains, parseCidr, parseIp, formatIpWords } from '../../util/ip.js';
import { SAMPLE_OFFENDER, sampleFrames, type Sample } from './test-packets.js';

/** RFC 5737 (documentation), RFC 2544 (benchmarks), RFC 3849 (documentation, IPv6). */
const TEST_NETWORKS = ['192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24', '198.18.0.0/15', '2001:db8::/32']
  .map(parseCidr)
  .filter((network) => network !== undefined);
/** Interface number that nothing else has. */
export const TEST_INTERFACE_ID = 255;

export interface Injection {
  packets: string[] | undefined;
  sample: Sample | undefined;
  gapMs: number;
}

function isTestAddress(text: string): boolean {
  const ip = parseIp(text);
  return ip !== undefined && TEST_NETWORKS.some((n) => n.version === ip.version && cidrContains(n, ip));
}

export function blockOf(frames: readonly Uint8Array[], startUs: number, gapUs: number): PacketBlock {
  const lengths = Int32Array.from(frames, (frame) => frame.length);
  const offset = new Int32Array(frames.length);
  for (let i = 1; i < frames.length; i++) offset[i] = offset[i - 1]! + lengths[i - 1]!;
  return {
    data: Buffer.concat(frames),
    count: frames.length,
    offset,
    capLen: lengths,
    wireLen: lengths,
    tsUs: Float64Array.from(frames, (_frame, i) => startUs + i * gapUs),
    linkType: LINK.ETHERNET,
    interfaceId: TEST_INTERFACE_ID,
  };
}

/**
 * Makes a block of test packets whose last one lies at `nowUs`, and names who appears as its first sender.
 * @throws AppError inject.refused: an address outside the networks for tests would make a real host look like an attacker.
 */
export function createInjection(
  { packets, sample, gapMs }: Injection,
  nowUs: number,
): { block: PacketBlock; offender: string } {
  const frames = sample === undefined ? (packets ?? []).map((hex) => Buffer.from(hex, 'hex')) : sampleFrames(sample);
  const gapUs = gapMs * 1000;
  const block = blockOf(frames, nowUs - (frames.length - 1) * gapUs, gapUs);
  const decoder = createDecoder({});
  const packet = new DecodedPacket();
  let offender = sample === undefined ? '' : SAMPLE_OFFENDER;
  for (let i = 0; i < block.count; i++) {
    decoder.decode(block, i, packet);
    const { ipVersion: v } = packet;
    const src = formatIpWords(v, packet.src0, packet.src1, packet.src2, packet.src3);
    const dst = formatIpWords(v, packet.dst0, packet.dst1, packet.dst2, packet.dst3);
    if (v === 0 || packet.tunnelDepth > 0 || !isTestAddress(src) || !isTestAddress(dst)) {
      throw new AppError({
        kind: 'user',
        code: 'inject.refused',
        message: `Packet ${i + 1} is not between two test addresses.`,
        fix: 'Use addresses of 192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24, 198.18.0.0/15 or 2001:db8::/32, and no tunnels.',
      });
    }
    offender ||= src;
  }
  return { block, offender };
}
