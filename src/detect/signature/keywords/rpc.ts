import { PROTO } from '../../../domain/packet.js';
import { parseNumber } from '../parse/number.js';
import type { RuleBuilder } from './builder.js';

/** `PROGRAM[,VERSION|*[,PROCEDURE|*]]`: a call of ONC RPC (RFC 5531 9) in the packet. */
export function rpc(b: RuleBuilder, value: string): void {
  const parts = value.split(',').map((p) => p.trim());
  if (parts.length > 3) throw new Error('needs a program, and perhaps a version and a procedure');
  const [program, version, procedure] = parts.map((p) => (p === '*' ? undefined : parseNumber(p, 0, 0xffffffff)));
  if (program === undefined) throw new Error('needs the number of a program');
  b.needsPacket = true;
  b.rule.packetTests.push((p) => {
    if (p.proto !== PROTO.TCP && p.proto !== PROTO.UDP) return false;
    // Over TCP the record mark comes first.
    const at = p.payloadOffset + (p.proto === PROTO.TCP ? 4 : 0);
    if (at + 28 > p.payloadOffset + p.payloadLen) return false;
    const u32 = (i: number): number => Buffer.from(p.data.buffer, p.data.byteOffset + at + i, 4).readUInt32BE();
    if (u32(4) !== 0 || u32(12) !== program) return false;
    return (version === undefined || u32(16) === version) && (procedure === undefined || u32(20) === procedure);
  });
}
