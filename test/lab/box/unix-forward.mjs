// Listens on a Unix socket and connects each caller to a TCP port of the namespace it runs in: Unix sockets belong to
// the file system, so tests outside a namespace reach what listens on its loopback.
// node unix-forward.mjs SOCKET PORT
import { connect, createServer } from 'node:net';

const [, , socketPath, port] = process.argv;
const server = createServer((caller) => {
  const target = connect(Number(port), '127.0.0.1');
  caller.pipe(target).pipe(caller);
  caller.on('error', () => target.destroy()).on('close', () => target.destroy());
  target.on('error', () => caller.destroy()).on('close', () => caller.destroy());
});
server.listen(socketPath, () => console.log('unix-forward: ready'));
