/** Services whose class and attributes rules may ask for (CIP Vol. 1, appendix A-4). */
const GET_LIST = 0x03;
const SET_LIST = 0x04;
const GET_SINGLE = 0x0e;
const SET_SINGLE = 0x10;
const MULTIPLE = 0x0a;
const IS_RESPONSE = 0x80;
/** Services of one packet that are read, the ones within a packet of several included; attributes of one service. */
const MAX_SERVICES = 32;
const MAX_ATTRIBUTES = 64;

/** Logical segments of a path (CIP Vol. 1, C-1.4.2): what they name, and the width of it in bytes. */
const SEGMENTS: Readonly<Record<number, readonly ['class' | 'instance' | 'attribute', 1 | 2]>> = {
  0x20: ['class', 1],
  0x21: ['class', 2],
  0x24: ['instance', 1],
  0x25: ['instance', 2],
  0x30: ['attribute', 1],
  0x31: ['attribute', 2],
};

/** A request of the Common Industrial Protocol. */
export interface CipRequest {
  service: number;
  /** Class of the object; only of services that get and set attributes. */
  class?: number;
  attributes: number[];
}

const u16 = (d: Uint8Array, at: number): number => (d[at] ?? 0) + (d[at + 1] ?? 0) * 256;

/** The requests of one message, with those within a packet of several services; answers are none. */
export function readCip(d: Uint8Array, found: CipRequest[] = []): CipRequest[] {
  if (d.length < 2 || (d[0]! & IS_RESPONSE) !== 0 || found.length >= MAX_SERVICES) return found;
  const service = d[0]!;
  const behindPath = 2 + 2 * d[1]!;
  const request: CipRequest = { service, attributes: [] };
  found.push(request);
  if ([GET_LIST, SET_LIST, GET_SINGLE, SET_SINGLE].includes(service)) {
    readPath(d.subarray(2, behindPath), request);
    if (service === GET_LIST || service === SET_LIST) readList(d.subarray(behindPath), request);
  } else if (service === MULTIPLE) {
    const inner = d.subarray(behindPath);
    const count = Math.min(u16(inner, 0), MAX_SERVICES);
    for (let n = 0, last = 0; n < count && found.length < MAX_SERVICES; n++) {
      const at = u16(inner, 2 + 2 * n);
      // Each lies behind the one before it: nothing is read twice.
      if (at <= last) break;
      last = at;
      readCip(inner.subarray(at), found);
    }
  }
  return found;
}

function readPath(path: Uint8Array, request: CipRequest): void {
  for (let at = 0; at + 1 < path.length;) {
    const segment = SEGMENTS[path[at]!];
    if (segment === undefined) return;
    const [what, width] = segment;
    const value = width === 1 ? path[at + 1]! : u16(path, at + 2);
    at += 2 * width;
    if (what === 'class') request.class = value;
    else if (what === 'attribute') request.attributes.push(value);
  }
}

/** Numbers of attributes behind a path; of a list that is set, the values between are not known in length. */
function readList(d: Uint8Array, request: CipRequest): void {
  const count = Math.min(u16(d, 0), MAX_ATTRIBUTES);
  for (let n = 0; n < count && 4 + 2 * n <= d.length; n++) request.attributes.push(u16(d, 2 + 2 * n));
}
