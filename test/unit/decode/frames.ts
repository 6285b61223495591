/** Builders of packets, layer by layer; each returns bytes, so a packet reads as `ethernet(0x0800, ipv4({...}, tcp({...})))`. */

export function bytes(...parts: (number | number[] | Uint8Array)[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => (typeof part === 'number' ? [part] : [...part])));
}

export function u16(value: number): number[] {
  return [(value >> 8) & 255, value & 255];
}

export function u32(value: number): number[] {
  return [...u16(value >>> 16), ...u16(value & 0xffff)];
}

export function ethernet(type: number, payload: Uint8Array): Uint8Array {
  return bytes([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2], u16(type), payload);
}

export function vlan(id: number, type: number, payload: Uint8Array): Uint8Array {
  return bytes(u16(id), u16(type), payload);
}

export function address4(text: string): number[] {
  return text.split('.').map(Number);
}

export interface Ipv4Fields {
  src?: string;
  dst?: string;
  proto: number;
  id?: number;
  /** Reserved/DF/MF as 4/2/1. */
  flags?: number;
  fragOffset?: number;
  options?: number[];
  totalLen?: number;
}

export function ipv4(f: Ipv4Fields, payload: Uint8Array): Uint8Array {
  const options = f.options ?? [];
  const headerBytes = 20 + options.length;
  return bytes(
    0x40 | (headerBytes / 4),
    0,
    u16(f.totalLen ?? headerBytes + payload.length),
    u16(f.id ?? 1),
    u16(((f.flags ?? 0) << 13) | ((f.fragOffset ?? 0) >> 3)),
    [64, f.proto, 0, 0],
    address4(f.src ?? '10.0.0.1'),
    address4(f.dst ?? '10.0.0.2'),
    options,
    payload,
  );
}

/** Address with the given last byte in 2001:db8::/32. */
export function address6(last: number): number[] {
  return [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last];
}

export function ipv6(nextHeader: number, payload: Uint8Array, from = 1, to = 2): Uint8Array {
  return bytes([0x60, 0, 0, 0], u16(payload.length), [nextHeader, 64], address6(from), address6(to), payload);
}

export interface TcpFields {
  srcPort?: number;
  dstPort?: number;
  flags?: number;
  seq?: number;
  ack?: number;
  options?: number[];
}

export function tcp(f: TcpFields = {}, payload: Uint8Array = bytes()): Uint8Array {
  const options = f.options ?? [];
  return bytes(
    u16(f.srcPort ?? 40000),
    u16(f.dstPort ?? 80),
    u32(f.seq ?? 1000),
    u32(f.ack ?? 0),
    ((20 + options.length) / 4) << 4,
    f.flags ?? 0x10,
    u16(64240),
    [0, 0, 0, 0],
    options,
    payload,
  );
}

export function udp(srcPort: number, dstPort: number, payload: Uint8Array, length = 8 + payload.length): Uint8Array {
  return bytes(u16(srcPort), u16(dstPort), u16(length), [0, 0], payload);
}

export function icmp(type: number, code: number, id = 7, seq = 1, payload: Uint8Array = bytes()): Uint8Array {
  return bytes([type, code, 0, 0], u16(id), u16(seq), payload);
}

export function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}
