// An echo service (`serve PORT`), and a client that prints the answer (`udp|tcp HOST PORT TEXT LIMIT_MS`).
import { createSocket } from 'node:dgram';
import { connect, createServer } from 'node:net';

const [what, a, b, text, limitMs] = process.argv.slice(2);
if (what === 'serve') {
  const udp = createSocket({ type: 'udp6', ipv6Only: false });
  udp.on('message', (data, from) => udp.send(data, from.port, from.address));
  udp.bind(Number(a), () => {
    createServer((socket) => socket.on('error', () => undefined).pipe(socket)).listen(Number(a), '::', () =>
      process.stdout.write('ready\n'),
    );
  });
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
    const socket = connect(Number(b), a, () => socket.write(text));
    socket.on('data', (data) => done(data.toString()));
    socket.on('error', (error) => done(error.code ?? 'error'));
  }
}
