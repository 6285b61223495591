import { createSocket } from 'node:dgram';
import { setTimeout as pause } from 'node:timers/promises';

/**
 * The ends of the delay measurement: `source HOST PORT PPS SECS` sends datagrams that carry the time, `sink PORT` prints the
 * percentiles of their delay when it is ended. Both read one clock: they run on one machine.
 */
const [what, ...args] = process.argv.slice(2);
const nowNs = (): bigint => process.hrtime.bigint();

if (what === 'sink') sink(Number(args[0]));
else await source(args[0]!, Number(args[1]), Number(args[2]), Number(args[3]));

function sink(port: number): void {
  const delays: number[] = [];
  const socket = createSocket({ type: 'udp4', recvBufferSize: 8 << 20 });
  socket.on('message', (data) => delays.push(Number(nowNs() - data.readBigUInt64LE(0)) / 1000));
  socket.bind(port, () => process.stdout.write('ready\n'));
  process.on('SIGTERM', () => {
    delays.sort((x, y) => x - y);
    const quantile = (q: number): number => delays[Math.min(delays.length - 1, Math.floor(q * delays.length))] ?? 0;
    const result = { p50Us: quantile(0.5), p99Us: quantile(0.99), received: delays.length };
    process.stdout.write(JSON.stringify(result), () => process.exit(0));
  });
}

async function source(host: string, port: number, pps: number, secs: number): Promise<void> {
  const socket = createSocket({ type: 'udp4', sendBufferSize: 8 << 20 });
  await new Promise<void>((resolve) => socket.connect(port, host, resolve));
  let sent = 0;
  const startNs = nowNs();
  const total = pps * secs;
  while (sent < total) {
    const due = Math.min(total, Math.floor((Number(nowNs() - startNs) / 1e9) * pps));
    // Sixteen at most without a pause: what waits in the sender is not the router's delay.
    for (let n = 0; sent < due && n < 16; n++, sent++) {
      const data = Buffer.alloc(128);
      data.writeBigUInt64LE(nowNs(), 0);
      socket.send(data);
    }
    if (sent >= due) await pause(0);
    else await new Promise((resolve) => setImmediate(resolve));
  }
  await pause(200);
  process.stdout.write(String(sent), () => process.exit(0));
}
