// Computers and programs that come one after the other, each with its own address and its own way to ask. Some of the hosts
// they ask are switched off, moved or behind a filter: nothing comes back. `goneShare` of them ask `gone` hosts, the others
// a host that answers, if only that a port is closed.
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Random } from '../random.js';
import { readSettings, think, type TrafficSettings } from './settings.js';

/** `everyMs`: mean time between two newcomers. `webOnly`: all of them want the same web server. */
const settings = readSettings<
  TrafficSettings & { gone: string[]; goneShare: number; everyMs: number; webOnly: boolean }
>();
/** Web, mail, printers, file shares, brokers, speakers, remote desktops: what people and apps connect to. */
const TCP_PORTS = [80, 443, 443, 22, 25, 445, 631, 993, 1883, 3389, 5222, 8009, 8080, 9100];
/** What a web server has; some ask it for more. */
const WEB_PORTS = [80, 80, 443];
const OTHER_PORT_SHARE = 0.15;
/** SNMP, NTP, syslog, STUN, RADIUS, and games. */
const UDP_PORTS = [123, 161, 514, 1812, 3478, 27_015];

interface Wish {
  source: string;
  host: string;
  random: Random;
}

/** One connection; resolves to what was connected, answered or not. A kernel sends its SYN again after 1, 3 and 7 s. */
function tryConnect({ source, host, random }: Wish, port: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, localAddress: source, timeout: random.pick([400, 900, 2000, 3500, 8000]) });
    const done = (): void => {
      socket.destroy();
      resolve();
    };
    socket.on('connect', () => socket.write('GET /index.html HTTP/1.0\r\n\r\n'));
    socket.on('data', () => undefined).on('end', done);
    socket.on('error', done).on('timeout', done);
  });
}

/** An app that reconnects, a person who reloads, a browser that tries two addresses at once. */
async function connectAgain(wish: Wish): Promise<void> {
  const isServed = settings.webOnly || (wish.host === settings.target && wish.random.next() >= OTHER_PORT_SHARE);
  const port = wish.random.pick(isServed ? WEB_PORTS : TCP_PORTS);
  const tries = wish.random.pick([1, 1, 1, 2, 2, 3, 5]);
  for (let i = 0; i < tries; i++) {
    const atOnce = wish.random.next() < 0.25 ? 2 : 1;
    await Promise.all(Array.from({ length: atOnce }, () => tryConnect(wish, port)));
    await think(wish.random, 1500);
  }
}

/** Both addresses of a name, from a resolver that may be dead, with the usual tries. */
async function lookUp({ source, host, random }: Wish): Promise<void> {
  const resolver = new Resolver({ timeout: random.pick([800, 1000, 2000]), tries: random.pick([1, 2, 2, 3]) });
  resolver.setServers(random.next() < 0.4 ? [host, random.pick(settings.gone)] : [host]);
  resolver.setLocalAddress(source);
  const name = `${random.pick(['www', 'mail', 'time', 'update', 'files'])}.lab.example`;
  await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
}

/** Datagrams that hope for an answer, or for none: time, statistics, log lines, a game's server. */
async function report({ source, host, random }: Wish): Promise<void> {
  const socket = createSocket('udp4');
  socket.on('error', () => undefined);
  await new Promise<void>((resolve) => socket.bind(0, source, resolve));
  const [port, size] = [random.pick(UDP_PORTS), random.integer(12, 600)];
  for (let left = random.pick([1, 1, 1, 2, 4, 8]); left > 0; left--) {
    socket.send(Buffer.alloc(size), port, host);
    if (left > 1) await think(random, 1200);
  }
  socket.close();
}

function ping({ source, host, random }: Wish): Promise<void> {
  const args = ['-q', '-I', source, '-c', String(random.pick([1, 1, 3, 4])), '-W', '1', host];
  return new Promise((resolve) => spawn('ping', args, { stdio: 'ignore' }).on('close', () => resolve()));
}

const HABITS = settings.webOnly ? [connectAgain] : [connectAgain, connectAgain, connectAgain, lookUp, report, ping];

const random = new Random(settings.seed);
const end = Date.now() + settings.seconds * 1000;
for (let i = 0; Date.now() < end; i++) {
  const source = settings.sources[i % settings.sources.length]!;
  const isGone = random.next() < settings.goneShare;
  const own = new Random(random.integer(1, 1e9));
  const wish = { source, random: own, host: isGone ? random.pick(settings.gone) : settings.target };
  void (isGone ? random.pick(HABITS) : connectAgain)(wish);
  await think(random, settings.everyMs);
}
await delay(1000);
process.exit(0);
