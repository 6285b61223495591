import { openSync } from 'node:fs';
import koffi from 'koffi';

/** Makes the interface `tun0` and holds it open until its input ends. */
const TUNSETIFF = 0x400454ca;
const IFF_TUN_NO_PI = 0x1001;

const ioctl = koffi.load('libc.so.6').func('int ioctl(int fd, unsigned long request, void *argument)');
const request = Buffer.alloc(128);
request.write('tun0');
request.writeUInt16LE(IFF_TUN_NO_PI, 16);
if (ioctl(openSync('/dev/net/tun', 'r+'), TUNSETIFF, request) !== 0)
  throw new Error(`TUNSETIFF: errno ${koffi.errno()}`);
process.stdout.write('{"ready":true}\n');
process.stdin.resume().on('end', () => process.exit(0));
