// The attacker's own server: answers every request shortly and swallows every upload.
import { createServer } from 'node:http';

const server = createServer((request, response) => {
  request.resume().on('end', () => response.writeHead(200, { 'content-type': 'text/plain' }).end('sleep 2\n'));
});
server.listen(80, '::', () => console.log('receiver: ready'));
