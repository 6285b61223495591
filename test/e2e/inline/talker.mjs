// Sends a text over TCP five bytes at a time, each in a segment of its own, and prints what is answered (HOST PORT TEXT).
import { connect } from 'node:net';

const [host, port, text] = process.argv.slice(2);
const socket = connect(Number(port), host);
socket.setNoDelay(true);
socket.on('connect', async () => {
  for (let at = 0; at < text.length; at += 5) {
    await new Promise((resolve) => socket.write(text.slice(at, at + 5), resolve));
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
});
let answer = '';
socket.on('data', (data) => (answer += data.toString('latin1')));
const done = () => process.stdout.write(answer, () => process.exit(0));
socket.on('close', done);
socket.on('error', () => undefined);
setTimeout(done, 3000);
