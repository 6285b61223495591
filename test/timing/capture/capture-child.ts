import { createInterface } from 'node:readline';
import { openSource } from '../../../src/capture/index.js';
import { RingWalker } from '../../../src/capture/afpacket/walk.js';
import { Doorbell } from '../../../src/capture/afpacket/doorbell.js';
import type { SourceInput } from '../../../src/capture/options.js';
import { createDecoder } from '../../../src/decode/index.js';
import { DecodedPacket, type PacketBlock } from '../../../src/domain/packet.js';
import { createFlowTable } from '../../../src/flow/index.js';
import { nowUs } from '../../../src/util/clock.js';
import { AppError } from '../../../src/util/errors.js';

/** Captures as the sensor does and answers `report`; `stall MS` blocks the consumer in its next block. */
const ROUND = 1000;
const answer = (value: object): void => void process.stdout.write(`${JSON.stringify(value)}\n`);
const delays: number[] = [];
/** Packets that do not follow the one before them, when the sender numbers them. */
let breaks = 0;
let lastNumber = ROUND - 1;
const vlans = new Set<number>();
const decoder = createDecoder();
const flows = createFlowTable({}, { onEnd: () => undefined });
const packet = new DecodedPacket();
let stallMs = 0;
let linkType = -1;

function onBlock(block: PacketBlock): void {
  if (stallMs > 0) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, stallMs);
    stallMs = 0;
  }
  linkType = block.linkType;
  const now = nowUs();
  for (let i = 0; i < block.count; i++) {
    if (delays.length < 100_000) delays.push(now - block.tsUs[i]!);
    const end = block.offset[i]! + block.capLen[i]!;
    const number = (block.data[end - 2]! << 8) | block.data[end - 1]!;
    if (number !== (lastNumber + 1) % ROUND) breaks++;
    lastNumber = number;
    decoder.decode(block, i, packet);
    flows.push(packet);
    if (packet.vlanCount > 0) vlans.add(packet.vlan0);
  }
}

/** How often the doorbell was silenced, and turns in which packets came from an open block. */
let silenced = 0;
let rung = 0;
const doorbell = Doorbell.prototype as unknown as { silence(on: boolean): void };
const { silence } = doorbell;
doorbell.silence = function (on) {
  silenced += on ? 1 : 0;
  silence.call(this, on);
};
const { takeOpen } = RingWalker.prototype;
RingWalker.prototype.takeOpen = function (take) {
  takeOpen.call(this, (open) => {
    rung++;
    take(open);
  });
};

try {
  const source = await openSource(JSON.parse(process.argv[2]!) as SourceInput);
  const abort = new AbortController();
  createInterface({ input: process.stdin })
    .on('line', (line) => {
      if (line.startsWith('stall ')) {
        stallMs = Number(line.slice(6));
        answer({ ok: true });
        return;
      }
      const { packets, kernelDrops, reopens } = source.stats();
      const delayUs = [...delays].sort((a, b) => a - b)[delays.length >> 1] ?? -1;
      answer({
        packets,
        kernelDrops,
        reopens,
        flows: flows.stats().flows_created,
        vlans: [...vlans],
        linkType,
        delayUs,
        breaks,
        silenced,
        rung,
      });
    })
    .on('close', () => abort.abort());
  answer({ ready: true });
  await source.run(onBlock, abort.signal);
  source.close();
  // Whoever kept the last packet may still look at it: the memory must be there.
  for (let i = 0; i < packet.data.length; i += 4096) linkType |= packet.data[i]!;
} catch (error) {
  if (!(error instanceof AppError)) throw error;
  answer({ code: error.code, message: error.message, fix: error.fix, kind: error.kind });
}
