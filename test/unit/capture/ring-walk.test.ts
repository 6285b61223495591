import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fc } from '../../support/fuzz.js';
import { BLOCK, PACKET, TP_STATUS_USER } from '../../../src/capture/afpacket/constants.js';
import { RingWalker } from '../../../src/capture/afpacket/walk.js';

const BLOCK_BYTES = 512;
const BLOCKS = 3;
const HEADER_BYTES = 48;
const FRAME_AT = 64;
const START_SEC = 1_700_000_000;

interface Slot {
  at: number;
  id: number;
  /** Fields of the header that are still to be written, in the order of this kernel. */
  missing: (keyof typeof FIELDS)[];
}
const FIELDS = {
  status: PACKET.STATUS,
  len: PACKET.LEN,
  snapLen: PACKET.SNAPLEN,
  mac: PACKET.MAC,
  sec: PACKET.SEC,
  nsec: PACKET.NSEC,
} as const;
type Order = (keyof typeof FIELDS)[];

/** What net/packet/af_packet.c does with a TPACKET_V3 ring, step by step, so that a reader can look in between. */
class Kernel {
  readonly memory = new ArrayBuffer(BLOCK_BYTES * BLOCKS);
  /** Packets that got a place, in its order. */
  reserved = 0;
  private readonly view = new DataView(this.memory);
  private readonly order: Order;
  private block = 0;
  private isOpen = false;
  private end = 0;
  private last = 0;
  private unfinished: Slot[] = [];

  constructor(order: Order) {
    this.order = order;
  }

  private get base(): number {
    return this.block * BLOCK_BYTES;
  }

  /** A packet of `bytes` gets its place: count, length and next offset are written, nothing else. */
  reserve(bytes: number): void {
    const length = (FRAME_AT + bytes + 7) & ~7;
    if (this.isOpen && this.end + length > BLOCK_BYTES) this.close();
    if (!this.isOpen) this.open();
    // The ring is full: the packet is dropped.
    if (!this.isOpen) return;
    const at = this.base + this.end;
    this.view.setInt32(at + PACKET.NEXT, length, true);
    this.view.setInt32(this.base + BLOCK.PACKETS, this.view.getInt32(this.base + BLOCK.PACKETS, true) + 1, true);
    this.view.setInt32(this.base + BLOCK.LENGTH, this.end + length, true);
    this.view.setInt32(at + PACKET.STATUS, 0, true);
    this.unfinished.push({ at, id: this.reserved++, missing: [...this.order] });
    this.last = at;
    this.end += length;
  }

  /** One processor of several goes on with its packet: first the bytes, then field by field. */
  advance(which: number): void {
    const slot = this.unfinished[which % Math.max(1, this.unfinished.length)];
    if (!slot) return;
    if (slot.missing.length === this.order.length) this.view.setInt32(slot.at + FRAME_AT, slot.id, true);
    const field = slot.missing.shift();
    if (field === undefined) this.unfinished = this.unfinished.filter((other) => other !== slot);
    else if (field === 'mac') this.view.setUint16(slot.at + PACKET.MAC, FRAME_AT, true);
    else this.view.setInt32(slot.at + FIELDS[field], this.valueOf(field, slot.id), true);
  }

  /** Waits for the packets that are being written, as the kernel does, and hands the block over. */
  close(): void {
    while (this.unfinished.length > 0) this.advance(0);
    if (!this.isOpen) return;
    this.view.setInt32(this.last + PACKET.NEXT, 0, true);
    this.view.setInt32(this.base + BLOCK.STATUS, TP_STATUS_USER, true);
    this.isOpen = false;
    this.block = (this.block + 1) % BLOCKS;
  }

  private open(): void {
    if (this.view.getInt32(this.base + BLOCK.STATUS, true) !== 0) return;
    this.isOpen = true;
    this.view.setInt32(this.base + BLOCK.PACKETS, 0, true);
    this.view.setInt32(this.base + BLOCK.FIRST, HEADER_BYTES, true);
    this.view.setInt32(this.base + BLOCK.LENGTH, HEADER_BYTES, true);
    this.end = HEADER_BYTES;
  }

  private valueOf(field: keyof typeof FIELDS, id: number): number {
    if (field === 'status') return TP_STATUS_USER;
    if (field === 'sec') return START_SEC;
    if (field === 'nsec') return id + 1;
    return 100 + (id % 50);
  }
}

type Step =
  | { do: 'reserve'; bytes: number }
  | { do: 'advance'; which: number; times: number }
  | { do: 'close' | 'look' | 'drain' };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('reserve' as const), bytes: fc.integer({ min: 4, max: 120 }) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('advance' as const),
      which: fc.nat(3),
      times: fc.integer({ min: 1, max: 9 }),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ do: 'close' as const }) },
  { weight: 6, arbitrary: fc.constant({ do: 'look' as const }) },
  // The doorbell is silent.
  { weight: 1, arbitrary: fc.constant({ do: 'drain' as const }) },
);

/** Every packet that got a place is handed over once, in order and whole. */
function property(Walker: typeof RingWalker): fc.IProperty<[Step[], Order]> {
  const order = fc.shuffledSubarray(Object.keys(FIELDS) as Order, { minLength: 6 });
  return fc.property(fc.array(step, { maxLength: 200, size: 'max' }), order, (steps, fields) => {
    const kernel = new Kernel(fields);
    const ring = { memory: kernel.memory, blockBytes: BLOCK_BYTES, blocks: BLOCKS, linkType: 1 };
    const walker = new Walker(ring, 0);
    const seen: number[] = [];
    const wrong: string[] = [];
    const take: Parameters<RingWalker['drain']>[1] = (block) => {
      for (let i = 0; i < block.count; i++) {
        const id = new DataView(kernel.memory).getInt32(block.offset[i]!, true);
        const told = [block.tsUs[i], block.wireLen[i], block.capLen[i]];
        const wanted = [START_SEC * 1e6 + (id + 1) / 1000, 100 + (id % 50), 100 + (id % 50)];
        if (told.join() !== wanted.join()) wrong.push(`packet ${id}: ${told.join()}`);
        seen.push(id);
      }
    };
    for (const now of steps) {
      if (now.do === 'reserve') kernel.reserve(now.bytes);
      else if (now.do === 'advance') for (let n = 0; n < now.times; n++) kernel.advance(now.which);
      else if (now.do === 'close') kernel.close();
      else if (now.do === 'drain') walker.drain(64, take);
      else if (!walker.drain(64, take, true)) walker.takeOpen(take);
    }
    kernel.close();
    walker.drain(64, take);
    assert.deepEqual(wrong, []);
    assert.deepEqual(
      seen,
      Array.from({ length: kernel.reserved }, (_, i) => i),
    );
    assert.equal(walker.packets, kernel.reserved);
  });
}

/** The walker with one of its rules left out. */
type Inside = { isComplete(at: number): boolean; clean(base: number): void; isClean: Uint8Array; taken: number };
const inside = (walker: RingWalker): Inside => walker as unknown as Inside;
const MUTANTS: Record<string, (walker: RingWalker) => void> = {
  'takes a packet that is not complete': (w) => (inside(w).isComplete = () => true),
  'does not clean what it gives back': (w) => (inside(w).clean = () => undefined),
  'looks into a block that was given back as it was': (w) =>
    (inside(w).isClean = new Proxy(new Uint8Array(BLOCKS).fill(1), { set: () => true })),
  'forgets what it took from an open block': (w) => Object.defineProperty(w, 'taken', { get: () => 0, set: () => 0 }),
};

describe('a ring whose open block is looked into', () => {
  it('hands over every packet once, in order and whole', () => {
    fc.assert(property(RingWalker), { numRuns: 1000 });
  });

  for (const [name, mutate] of Object.entries(MUTANTS)) {
    it(`the control: a walker that ${name} is found`, () => {
      class Mutant extends RingWalker {
        constructor(...args: ConstructorParameters<typeof RingWalker>) {
          super(...args);
          mutate(this);
        }
      }
      assert.throws(
        () => fc.assert(property(Mutant), { numRuns: 3000, seed: 1, endOnFailure: true }),
        /Property failed/,
      );
    });
  }
});
