// An echo service (`serve PORT`), a client that prints the answer (`udp|tcp HOST PORT TEXT LIMIT_MS`), and one that sends a
// datagram from each of many addresses in turn and prints how many were answered (`burst HOST PORT TEXT LIMIT_MS COUNT ADDRESSES`).
// `pull HOST PORT TEXT LIMIT_MS BYTES` has so many bytes sent, then asks for TEXT by the same connection and prints the answer. The
// TCP service sends BYTES zeros when it is told `send BYTES`.
import { createSocket } from 'node:dgram';
import { connect, createServer } from 'node:net';

const [what, a, b, text, limitMs, count, addresses] = process.argv.slice(2);
if (what === 'serve') {
  const udp = createSocket({ type: 'udp6', ipv6Only: false });
  udp.on('message', (data, from) => udp.send(data, from.port, from.address));
  udp.bind(Number(a), () => {
    createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (data) => {
        const wanted = /^send (\d+)$/.exec(data.toString('latin1'))?.[1];
        socket.write(wanted === undefined ? data : Buffer.alloc(Number(wanted)));
      });
    }).listen(Number(a), '::', () => process.stdout.write('ready\n'));
  });
} else if (what === 'burst') {
  await burst(Number(count), addresses.split(','));
} else {
  const done = (answer) => {
    process.stdout.write(answer, () => process.exit(0));
  };
  setTimeout(() => done(''), Number(limitMs));
  if (what === 'udp') {
    const socket = createSocket(a.includes(':') ? 'udp6' : 'udp4');
    socket.on('message', (data) => done(data.toString()));
    socket.on('error', (error) => done(error.code ?? 'error'));
    socket.connect(Number(b), a, () => socket.send(text));
  } else {
    let left = what === 'pull' ? Number(count) : 0;
    const socket = connect(Number(b), a, () => socket.write(left > 0 ? `send ${left}` : text));
    socket.on('data', (data) => {
      if (left === 0) return done(data.toString());
      left -= data.length;
      if (left === 0) socket.write(text);
    });
    socket.on('error', (error) => done(error.code ?? 'error'));
  }
}

async function burst(total, from) {
  let answers = 0;
  const sockets = await Promise.all(
    from.map((address) => {
      const socket = createSocket('udp4');
      socket.on('message', () => answers++);
      return new Promise((resolve) => socket.bind(0, address, () => resolve(socket)));
    }),
  );
  for (let i = 0; i < total; i++) {
    await new Promise((resolve) => sockets[i % sockets.length].send(text, Number(b), a, resolve));
  }
  setTimeout(() => process.stdout.write(String(answers), () => process.exit(0)), Number(limitMs));
}
