// Answers each UDP packet with as many bytes as its first two say.
import { createSocket } from 'node:dgram';

async function serve(port: number): Promise<void> {
  const socket = createSocket('udp6');
  socket.on('message', (message, from) => {
    if (message.length >= 2) socket.send(Buffer.alloc(Math.min(1400, message.readUInt16BE())), from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(port, '::', resolve));
}

await Promise.all([443, 3478].map(serve));
console.log('udp-servers: ready');
