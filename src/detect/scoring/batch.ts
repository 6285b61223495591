import type { FeatureVector } from '../../domain/feature.js';
import type { FlowColumns } from '../../domain/flow.js';

/** Numbers kept of each flow until its score is known; texts are made only for what is reported. */
const CONTEXT_NUMBERS = 8;
const CONTEXT_WORDS = 8;

/** Up to `capacity` rows of one feature schema, with the flow each came from. */
export class RowBatch {
  readonly shared: SharedArrayBuffer;
  readonly x: Float32Array;
  rows = 0;
  private readonly columns: number;
  private readonly numbers: Float64Array;
  private readonly addresses: Uint32Array;

  constructor(capacity: number, columns: number) {
    this.columns = columns;
    this.shared = new SharedArrayBuffer(capacity * columns * 4);
    this.x = new Float32Array(this.shared);
    this.numbers = new Float64Array(capacity * CONTEXT_NUMBERS);
    this.addresses = new Uint32Array(capacity * CONTEXT_WORDS);
  }

  /** Copies a vector and its flow's context; no string, no object. */
  add(vector: FeatureVector, flows: FlowColumns, slot: number): void {
    const r = this.rows++;
    this.x.set(vector.values, r * this.columns);
    const n = r * CONTEXT_NUMBERS;
    const { numbers, addresses } = this;
    numbers[n] = flows.flowId[slot]!;
    numbers[n + 1] = flows.lastUs[slot]!;
    numbers[n + 2] = flows.proto[slot]!;
    numbers[n + 3] = flows.ipVersion[slot]!;
    numbers[n + 4] = flows.srcPort[slot]!;
    numbers[n + 5] = flows.dstPort[slot]!;
    numbers[n + 6] = isProven(flows, slot) ? 1 : 0;
    numbers[n + 7] = vector.moment === 'early' ? 1 : 0;
    for (let w = 0; w < 4; w++) {
      addresses[r * CONTEXT_WORDS + w] = flows.srcAddr[slot * 4 + w]!;
      addresses[r * CONTEXT_WORDS + 4 + w] = flows.dstAddr[slot * 4 + w]!;
    }
  }

  /** The flow behind a row. */
  context(row: number): FlowContext {
    const n = this.numbers.subarray(row * CONTEXT_NUMBERS, (row + 1) * CONTEXT_NUMBERS);
    const a = this.addresses.subarray(row * CONTEXT_WORDS, (row + 1) * CONTEXT_WORDS);
    return {
      flowId: n[0]!,
      lastUs: n[1]!,
      proto: n[2]!,
      ipVersion: n[3]!,
      srcPort: n[4]!,
      dstPort: n[5]!,
      isProven: n[6] === 1,
      moment: n[7] === 1 ? 'early' : 'end',
      src: [a[0]!, a[1]!, a[2]!, a[3]!],
      dst: [a[4]!, a[5]!, a[6]!, a[7]!],
    };
  }

  row(row: number): Float32Array {
    return this.x.slice(row * this.columns, (row + 1) * this.columns);
  }
}

type Words = readonly [number, number, number, number];

export interface FlowContext {
  flowId: number;
  lastUs: number;
  proto: number;
  ipVersion: number;
  srcPort: number;
  dstPort: number;
  /** The source has shown that it owns its address: completed handshake or data both ways. */
  isProven: boolean;
  moment: 'early' | 'end';
  src: Words;
  dst: Words;
}

const TCP_PROTO = 6;

function isProven(flows: FlowColumns, slot: number): boolean {
  if (flows.proto[slot] === TCP_PROTO && flows.handshakePackets[slot]! > 0) return true;
  // One answer to one datagram proves nothing: the sender may never have seen it.
  return flows.payloadFwd[slot]! > 0 && flows.payloadBwd[slot]! > 0 && flows.packetsFwd[slot]! > 1;
}
