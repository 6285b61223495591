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

const NONE: readonly string[] = [];

/** Headers in one packet, as Suricata counts them (`decoder.max-layers`). */
const MAX_LAYERS = 16;

/**
 * The position in a frame that is read a second time, for its oddities only. Slow and simple: it runs while a rule asks for
 * `decode-event`, and never on the ordinary path.
 */
export class FrameReader {
  data: Uint8Array = new Uint8Array(0);
  vlans = 0;
  #layers = 0;
  /** What was told so far, each name once a packet: of that of the frame, then of those in it. */
  readonly #told: string[][] = [[]];
  /** The packet that headers are read of. */
  #packet = 0;
  readonly #table: Readonly<Record<LayerName, ReadLayer>>;

  constructor(table: Readonly<Record<LayerName, ReadLayer>>) {
    this.#table = table;
  }

  /** Begins with the first frame. */
  clear(): void {
    this.#packet = 0;
    this.#told.length = 1;
    this.#told[0]!.length = 0;
  }

  begin(data: Uint8Array): void {
    this.data = data;
    this.vlans = this.#layers = 0;
  }

  /** What follows is of another packet, which the ones before have brought. */
  follow(): void {
    this.#packet = this.#told.push([]) - 1;
  }

  /** What was told of one packet. */
  of(packet: number): readonly string[] {
    return this.#told[packet] ?? NONE;
  }

  /** What was told of a packet and of those in it; where less were read, of the last one. */
  from(packet: number): readonly string[] {
    const last = this.#told.length - 1;
    return packet >= last ? this.#told[last]! : this.#told.slice(packet).flat();
  }

  /** @returns false, so that a reader of a header can end with it. */
  tell(event: DecodeEventName): false {
    const told = this.#told[this.#packet]!;
    if (!told.includes(event)) told.push(event);
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
    const [layers, vlans, packet] = [this.#layers, this.vlans, this.#packet];
    if (this.#layers + 1 >= MAX_LAYERS) {
      this.tell('too_many_layers');
      return;
    }
    this.#layers++;
    this.follow();
    if (!this.next(layer, at, end)) this.#told.length = packet + 1;
    this.#packet = packet;
    this.#layers = layers;
    this.vlans = vlans;
  }
}
