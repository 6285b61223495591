// Traffic maker that runs inside a network namespace: one JSON command a line on stdin, one JSON answer a line on stdout.
import { createSocket } from 'node:dgram';
import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';

const connections = new Map();
const family = (host) => (host.includes(':') ? 'udp6' : 'udp4');

function serve({ proto, host, port }) {
  return new Promise((resolve, reject) => {
    if (proto === 'tcp') {
      const server = createServer((socket) => {
        socket.on('error', () => undefined);
        socket.pipe(socket);
      });
      server.on('error', reject).listen(port, host, () => resolve({ ok: true }));
    } else {
      const socket = createSocket(family(host));
      socket.on('message', (data, from) => socket.send(data, from.port, from.address, () => undefined));
      socket.on('error', reject).bind(port, host, () => resolve({ ok: true }));
    }
  });
}

function open({ id, host, port, local, timeoutMs }) {
  return new Promise((resolve) => {
    const socket = connect({ host, port, localAddress: local });
    const timer = setTimeout(() => done({ ok: false, why: 'timeout' }), timeoutMs);
    const done = (answer) => {
      clearTimeout(timer);
      if (!answer.ok) socket.destroy();
      resolve(answer);
    };
    socket.on('error', (error) => done({ ok: false, why: error.code }));
    socket.on('connect', () => {
      connections.set(id, socket);
      done({ ok: true });
    });
  });
}

function echo({ id, timeoutMs }) {
  const socket = connections.get(id);
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve({ ok: false, why: 'timeout' }), timeoutMs);
    socket.once('data', () => {
      clearTimeout(timer);
      resolve({ ok: true });
    });
    socket.write('ping');
  });
}

// Sends `count` datagrams and counts the answers until all came or the time is over.
function udp({ host, port, local, timeoutMs, count = 1 }) {
  return new Promise((resolve) => {
    const socket = createSocket(family(host));
    let answers = 0;
    let refused = 0;
    const startMs = performance.now();
    const done = () => {
      clearTimeout(timer);
      socket.close();
      resolve({ ok: answers > 0, answers, refused, tookMs: performance.now() - startMs });
    };
    const timer = setTimeout(done, timeoutMs);
    socket.on('message', () => {
      answers += 1;
      if (answers === count) done();
    });
    socket.on('error', () => undefined);
    socket.bind({ address: local }, () => {
      for (let i = 0; i < count; i++) {
        socket.send('probe', port, host, (error) => {
          if (error && error.code === 'EPERM') refused += 1;
          if (refused === count) done();
        });
      }
    });
  });
}

function close({ id }) {
  connections.get(id)?.destroy();
  connections.delete(id);
  return { ok: true };
}

const actions = { serve, open, echo, udp, close };
createInterface({ input: process.stdin }).on('line', async (line) => {
  const { n, op, ...rest } = JSON.parse(line);
  const answer = await Promise.resolve(actions[op](rest)).catch((error) => ({ ok: false, why: error.message }));
  process.stdout.write(`${JSON.stringify({ n, ...answer })}\n`);
});
process.stdout.write('{"ready":true}\n');
