/** What the capture process of npm `cap` tells beside the packets. */
export type CapMessage =
  | { kind: 'open'; linkName: string }
  | { kind: 'error'; message: string }
  /** Packets dropped so far because the reader was too slow. */
  | { kind: 'dropped'; packets: number };
