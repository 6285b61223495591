// Devices that announce themselves and look for others: multicast and broadcast, mostly without an answer.
import { createSocket } from 'node:dgram';
import { forEachSource, readSettings, think } from './settings.js';

const settings = readSettings();
const SEARCH =
  'M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: "ssdp:discover"\r\nMX: 2\r\nST: ssdp:all\r\n\r\n';
const NAME = Buffer.from([
  0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 4, 95, 105, 112, 112, 5, 108, 111, 99, 97, 108, 0, 0, 12, 0, 1,
]);

const TALKS: readonly { port: number; to: string; data: Buffer }[] = [
  { port: 5353, to: '224.0.0.251', data: NAME },
  { port: 1900, to: '239.255.255.250', data: Buffer.from(SEARCH) },
  { port: 5355, to: '224.0.0.252', data: NAME },
  { port: 3702, to: '239.255.255.250', data: Buffer.from('<Probe/>') },
  { port: 137, to: '10.77.127.255', data: NAME },
];

await forEachSource(settings, async (source, random) => {
  for (const { port, to, data } of TALKS) {
    await new Promise<void>((resolve) => {
      const socket = createSocket('udp4');
      socket.on('error', () => resolve());
      socket.bind(0, source, () => {
        socket.setBroadcast(true);
        if (to.startsWith('2')) socket.setMulticastInterface(source);
        socket.send(data, port, to, () => {
          socket.close();
          resolve();
        });
      });
    });
  }
  await think(random, 800);
});
