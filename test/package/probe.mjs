// Tries, one after the other, what a daemon that was taken over might try, and prints what the kernel said as one line of JSON.
// Run in the sandbox of a unit by privileges.test.ts; nothing of it is in the package.
import { execFileSync } from 'node:child_process';
import { appendFileSync, openSync, readdirSync, readFileSync, readSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const koffi = createRequire('/usr/lib/portcullis/package.json')('koffi');
const libc = koffi.load('libc.so.6');
const socket = libc.func('int socket(int, int, int)');
const setuid = libc.func('int setuid(unsigned int)');
const kill = libc.func('int kill(int, int)');
const unshare = libc.func('int unshare(int)');
const connect = libc.func('int connect(int, void *, unsigned int)');

const [AF_UNIX, AF_INET, AF_PACKET] = [1, 2, 17];
const [SOCK_STREAM, SOCK_DGRAM, SOCK_RAW] = [1, 2, 3];

/** The name of the error of a C call, or ok. */
function said(result) {
  if (result >= 0) return 'ok';
  const errno = koffi.errno();
  return Object.keys(koffi.os.errno).find((name) => koffi.os.errno[name] === errno) ?? String(errno);
}

function told(action) {
  try {
    action();
    return 'ok';
  } catch (error) {
    return error.code ?? `exit ${error.status}`;
  }
}

/** Sends a datagram to a neighbour. */
function send() {
  const fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (fd < 0) return said(fd);
  const address = Buffer.from([AF_INET, 0, 0, 9, 198, 18, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0]);
  const connected = connect(fd, address, address.length);
  return connected < 0 ? said(connected) : told(() => writeFileSync(fd, 'x'));
}

/** Dials a Unix socket. */
function dial(path) {
  const fd = socket(AF_UNIX, SOCK_STREAM, 0);
  const address = Buffer.concat([Buffer.from([AF_UNIX, 0]), Buffer.from(`${path}\0`)]);
  return fd < 0 ? said(fd) : said(connect(fd, address, address.length));
}

const read = (path) => told(() => readSync(openSync(path, 'r'), Buffer.alloc(16)));

const result = {
  'packet socket': said(socket(AF_PACKET, SOCK_RAW, 0)),
  'raw socket': said(socket(AF_INET, SOCK_RAW, 1)),
  'internet socket': said(socket(AF_INET, SOCK_STREAM, 0)),
  'send to a neighbour': send(),
  'change nftables': told(() =>
    execFileSync('nft', ['add table inet probe; delete table inet probe'], { stdio: 'ignore' }),
  ),
  'change a link': told(() => execFileSync('ip', ['link', 'set', 'lo', 'mtu', '65530'], { stdio: 'ignore' })),
  'dial as the sensor': dial('/run/portcullis/sensor/bus.sock'),
  'dial as the responder': dial('/run/portcullis/responder/bus.sock'),
  'dial as inline': dial('/run/portcullis/inline/bus.sock'),
  'read the database': read('/var/lib/portcullis/portcullis.db'),
  'read the keys': read('/var/lib/portcullis/keys.json'),
  'read the journal of the responder': told(() => readdirSync('/var/lib/portcullis-responder')),
  'read the configuration': told(() => readFileSync('/etc/portcullis/portcullis.yaml')),
  'write the configuration': told(() => appendFileSync('/etc/portcullis/portcullis.yaml', '')),
  'write the program': told(() => appendFileSync('/usr/lib/portcullis/package.json', '')),
  'read the home of root': told(() => readdirSync('/root')),
  'become root': said(setuid(0)),
  'signal init': said(kill(1, 0)),
  'make a network namespace': said(unshare(0x40000000)),
};
process.stdout.write(`${JSON.stringify(result)}\n`);
