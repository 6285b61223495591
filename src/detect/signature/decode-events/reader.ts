import type { DecodeEventName } from './names.js';

/** Kinds of headers that the reader knows. */
export type LayerName =
  | 'ethernet'
  | 'network'
  | 'vlan'
  | 'sll'
  | 'null'
  | 'raw'
  | 'chdlc'
  | 'ppp'
  | 'mpls'
  | 'nsh'
  | 'gre'
  | 'erspan'
  | 'ipv4'
  | 'ipv6'
  | 'tcp'
  | 'udp'
  | 'icmpv4'
  | 'icmpv6';

/**
 * Reads the header at `at` and what follows it, up to `end`, and tells what is odd about it.
 * @param kind what the header before says that this one is, where that matters: an EtherType.
 * @returns false when the header cannot be what it is said to be; nothing behind it was read then.
 */
export type ReadLayer = (r: FrameReader, at: number, end: number, kind: number) => boolean;

/** Headers in one packet, as Suricata counts them (`decoder.max-layers`). */
const MAX_LAYERS = 16;

/**
 * The position in a frame that is read a second time, for its oddities only. Slow and simple: it runs while a rule asks for
 * `decode-event`, and never on the ordinary path.
 */
export class FrameReader {
  data: Uint8Array = new Uint8Array(0);
  /** What was told so far, each name once. */
  readonly events: string[] = [];
  vlans = 0;
  #layers = 0;
  readonly #table: Readonly<Record<LayerName, ReadLayer>>;

  constructor(table: Readonly<Record<LayerName, ReadLayer>>) {
    this.#table = table;
  }

  begin(data: Uint8Array): void {
    this.data = data;
    this.vlans = this.#layers = 0;
  }

  /** @returns false, so that a reader of a header can end with it. */
  tell(event: DecodeEventName): false {
    if (!this.events.includes(event)) this.events.push(event);
    return false;
  }

  u16(at: number): number {
    return (this.data[at]! << 8) | this.data[at + 1]!;
  }

  next(layer: LayerName, at: number, end: number, kind = 0): boolean {
    return this.#table[layer](this, at, end, kind);
  }

  /** Counts one more header; false when there are too many. */
  enter(): boolean {
    return ++this.#layers < MAX_LAYERS || this.tell('too_many_layers');
  }

  /** Reads a packet in a packet. What cannot be read is no tunnel, and nothing is told about it. */
  tunnel(layer: LayerName, at: number, end: number): void {
    const [layers, vlans, told] = [this.#layers, this.vlans, this.events.length];
    if (this.#layers + 1 >= MAX_LAYERS) {
      this.tell('too_many_layers');
      return;
    }
    this.#layers++;
    if (!this.next(layer, at, end)) this.events.length = told;
    this.#layers = layers;
    this.vlans = vlans;
  }
}
