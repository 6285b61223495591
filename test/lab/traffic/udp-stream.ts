// A call or a QUIC-like download: small packets one way, large ones the other, steadily.
import { createSocket } from 'node:dgram';
import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../random.js';
import { forEachSource, readSettings } from './settings.js';

const settings = readSettings();

await forEachSource(settings, async (source: string, random: Random, isOver) => {
  const socket = createSocket('udp4').on('message', () => undefined);
  await new Promise<void>((resolve) => socket.bind(0, source, resolve));
  const port = random.pick([443, 3478]);
  // The server answers with as many bytes as the first two of the packet say.
  const answer = port === 443 ? 1200 : 172;
  const packet = Buffer.alloc(port === 443 ? 48 : 172);
  packet.writeUInt16BE(answer);
  const count = random.integer(100, 400);
  for (let i = 0; i < count && !isOver(); i++) {
    socket.send(packet, port, settings.target);
    await delay(20);
  }
  socket.close();
});
