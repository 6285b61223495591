import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Algorithm } from '../../../../src/contract/model-card.js';
import type { FeatureVector } from '../../../../src/domain/feature.js';
import type { FlowColumns } from '../../../../src/domain/flow.js';
import { writeBundle } from '../../../../src/train/bundle.js';
import type { TrainOptions } from '../../../../src/train/options.js';
import { trainOnTable } from '../../../../src/train/train-model.js';
import { FIXED_TIME, SYNTHETIC_SCHEMA, syntheticTable, trainOptions } from '../../train/synthetic.js';

/** Trains on made-up flows and writes the bundle; returns its folder. */
export async function makeModel(algorithm: Algorithm, changes: Partial<TrainOptions> = {}): Promise<string> {
  const dir = join(mkdtempSync(join(tmpdir(), 'portcullis-model-')), algorithm);
  const options = trainOptions({ algorithm, out: dir, ...changes });
  writeBundle(dir, (await trainOnTable(syntheticTable(3000, 7), [], options, FIXED_TIME)).files);
  return dir;
}

/** Columns of `n` flows from 10.0.0.x to 192.0.2.1:80 with a completed handshake. */
export function flowColumns(n: number): FlowColumns {
  const u32 = (f: (s: number) => number): Uint32Array => Uint32Array.from({ length: n }, (_, s) => f(s));
  const words = (last: (s: number) => number): Uint32Array =>
    Uint32Array.from({ length: 4 * n }, (_, i) => (i % 4 === 3 ? last(i >> 2) : 0));
  return {
    capacity: n,
    flowId: Float64Array.from({ length: n }, (_, s) => s + 1),
    proto: new Uint8Array(n).fill(6),
    ipVersion: new Uint8Array(n).fill(4),
    srcAddr: words((s) => 0x0a000000 + s),
    dstAddr: words(() => 0xc0000201),
    srcPort: new Uint16Array(n).fill(40000),
    dstPort: new Uint16Array(n).fill(80),
    startUs: new Float64Array(n).fill(1e15),
    lastUs: Float64Array.from({ length: n }, (_, s) => 1e15 + s * 1000),
    packetsFwd: u32(() => 5),
    packetsBwd: u32(() => 4),
    bytesFwd: new Float64Array(n).fill(500),
    bytesBwd: new Float64Array(n).fill(400),
    payloadFwd: new Float64Array(n).fill(200),
    payloadBwd: new Float64Array(n).fill(200),
    tcpFlagsFwd: new Uint8Array(n),
    tcpFlagsBwd: new Uint8Array(n),
    tcpState: new Uint8Array(n).fill(3),
    handshakePackets: u32(() => 3),
  };
}

/** One reused vector over the rows of a made-up table. */
export function vectors(
  rows: number,
  seed: number,
): { vector: FeatureVector; load: (row: number) => void; labelOf: (row: number) => string } {
  const table = syntheticTable(rows, seed);
  const vector: FeatureVector = {
    schema: SYNTHETIC_SCHEMA.name,
    moment: 'end',
    values: new Float32Array(table.columns),
  };
  return {
    vector,
    load: (row) => vector.values.set(table.x.subarray(row * table.columns, (row + 1) * table.columns)),
    labelOf: (row) => table.labels[table.label[row]!]!,
  };
}
