// Request and response without pause on eight connections until SIGTERM, and beside them one hostile request after
// the other, each on a connection of its own (HOST PORT PATH HOSTILE_PATH). Prints as JSON what became of them:
// `answered` and `lost` requests, `broken` connections, the longest wait for an answer, hostile requests `stopped` and `passed`.
import { connect } from 'node:net';

const [host, port, path, hostile] = process.argv.slice(2);
const CONNECTIONS = 8;
const HOSTILE_WAIT_MS = 250;
const seen = { answered: 0, lost: 0, broken: 0, longestMs: 0, stopped: 0, passed: 0 };
const request = (to) => `GET ${to} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
let isOver = false;

/**
 * One connection: the next request goes out when the answer to the last is whole; a server that says that it closes the
 * connection (nginx after a thousand requests) is asked on a new one.
 */
function steady() {
  return new Promise((done) => {
    const socket = connect(Number(port), host);
    let text = '';
    let sentMs = 0;
    let isClosing = false;
    const ask = () => {
      if (isOver) return socket.destroy();
      text = '';
      sentMs = performance.now();
      socket.write(request(path));
    };
    socket.on('connect', ask);
    socket.on('data', (data) => {
      text += data.toString('latin1');
      const head = text.indexOf('\r\n\r\n');
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? NaN);
      if (head < 0 || text.length < head + 4 + length) return;
      if (text.startsWith('HTTP/1.1 200')) seen.answered++;
      else seen.lost++;
      seen.longestMs = Math.max(seen.longestMs, performance.now() - sentMs);
      sentMs = 0;
      if (/^connection: close/im.test(text.slice(0, head))) {
        isClosing = true;
        socket.end();
      } else ask();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (isClosing && !isOver) return done(steady());
      if (!isOver) seen.broken++;
      if (sentMs > 0) seen.lost++;
      done();
    });
  });
}

/** True when anything was answered to the hostile request. */
function attack() {
  return new Promise((done) => {
    let isAnswered = false;
    const socket = connect(Number(port), host, () => {
      socket.write(request(hostile));
      setTimeout(() => socket.destroy(), HOSTILE_WAIT_MS);
    });
    socket.on('data', () => (isAnswered = true));
    socket.on('error', () => undefined);
    socket.on('close', () => done(isAnswered));
  });
}

process.on('SIGTERM', () => (isOver = true));
const load = Promise.all(Array.from({ length: CONNECTIONS }, steady));
process.stdout.write('running\n');
while (!isOver) seen[(await attack()) ? 'passed' : 'stopped']++;
await load;
process.stdout.write(JSON.stringify(seen), () => process.exit(0));
