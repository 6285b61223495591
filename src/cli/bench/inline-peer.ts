import { createSocket } from 'node:dgram';
import { setTimeout as pause } from 'node:timers/promises';
import { openAfpacketSource } from '../../capture/index.js';
import type { PacketBlock } from '../../domain/packet.js';

/**
 * The ends of the delay measurement: `source HOST PORT PPS SECS` sends datagrams with a number in each, `wire PORT FROM TO`
 * watches them come by one interface of the router and leave by the other, with the kernel's times, and prints the percentiles
 * of what lies between when it is ended. When the ends of the row get the processor makes no difference to it.
 */
const [what, ...args] = process.argv.slice(2);

/** Of an untagged Ethernet frame with an IPv4 header without options. */
const AT = { PROTOCOL: 23, PORT: 36, NUMBER: 42 } as const;
const UDP = 17;
const PAYLOAD_BYTES = 128;

if (what === 'wire') await wire(Number(args[0]), args[1]!, args[2]!);
else await source(args[0]!, Number(args[1]), Number(args[2]), Number(args[3]));

async function wire(port: number, from: string, to: string): Promise<void> {
  const came: number[] = [];
  const left: number[] = [];
  const stop = new AbortController();
  const watch = async (name: string, times: number[]): Promise<void> => {
    const opened = await openAfpacketSource({ interface: name });
    await opened.run((block) => note(block, port, times), stop.signal);
    opened.close();
  };
  process.on('SIGTERM', () => stop.abort());
  const both = Promise.all([watch(from, came), watch(to, left)]);
  await pause(100);
  process.stdout.write('ready\n');
  await both;
  const delays: number[] = [];
  left.forEach((atUs, number) => {
    const fromUs = came[number];
    if (fromUs !== undefined) delays.push(atUs - fromUs);
  });
  delays.sort((x, y) => x - y);
  const quantile = (q: number): number => delays[Math.min(delays.length - 1, Math.floor(q * delays.length))] ?? 0;
  const result = { p50Us: quantile(0.5), p99Us: quantile(0.99), received: delays.length };
  process.stdout.write(JSON.stringify(result), () => process.exit(0));
}

/** Remembers when each numbered datagram was there. */
function note(block: PacketBlock, port: number, times: number[]): void {
  const view = new DataView(block.data.buffer, block.data.byteOffset, block.data.byteLength);
  for (let i = 0; i < block.count; i++) {
    const at = block.offset[i]!;
    if (block.capLen[i]! < AT.NUMBER + 4 || block.data[at + AT.PROTOCOL] !== UDP) continue;
    if (view.getUint16(at + AT.PORT) === port) times[view.getUint32(at + AT.NUMBER)] = block.tsUs[i]!;
  }
}

async function source(host: string, port: number, pps: number, secs: number): Promise<void> {
  const socket = createSocket({ type: 'udp4', sendBufferSize: 8 << 20 });
  await new Promise<void>((resolve) => socket.connect(port, host, resolve));
  let sent = 0;
  const startMs = performance.now();
  const total = pps * secs;
  while (sent < total) {
    const due = Math.min(total, Math.floor(((performance.now() - startMs) / 1000) * pps));
    for (let n = 0; sent < due && n < 16; n++, sent++) {
      const data = Buffer.alloc(PAYLOAD_BYTES);
      data.writeUInt32BE(sent, 0);
      socket.send(data);
    }
    if (sent >= due) await pause(0);
    else await new Promise((resolve) => setImmediate(resolve));
  }
  await pause(200);
  process.stdout.write(String(sent), () => process.exit(0));
}
