/** Our four bits of the mark. On a packet: QUEUE, PASS and CUT; on a connection: PASS of each direction and CUT. */
export interface Marks {
  /** The packet is to be judged. */
  queue: number;
  /** The rest of this direction needs no look; on a connection the bit of the original direction. */
  pass: number;
  /** On a connection: the reply direction needs no look. */
  passReply: number;
  /** The connection is cut: nothing of it passes any more. */
  cut: number;
  all: number;
  /** Of packets that we send ourselves: they are left alone. */
  own: number;
}

/** @param lowest number of the lowest of the four bits, at most 28. */
export function marksFrom(lowest: number): Marks {
  const bit = (i: number): number => (1 << (lowest + i)) >>> 0;
  return {
    queue: bit(0),
    pass: bit(1),
    passReply: bit(2),
    cut: bit(3),
    all: (0b1111 << lowest) >>> 0,
    own: (0b1110 << lowest) >>> 0,
  };
}
