// Peer-to-peer, of two kinds in turn. The first knows hundreds of other peers, most of which have gone, each on a port of
// its own: it asks them by TCP and by UDP, and talks with the few that answer. The second keeps a list of some dozen hosts on
// one port, of which nearly all refuse by now, and tries them again and again. `answer` makes it the peers that answer.
import { connect, createServer } from 'node:net';
import { createSocket } from 'node:dgram';
import { setTimeout as delay } from 'node:timers/promises';
import { Random } from '../random.js';
import { forEachSource, readSettings, think, type TrafficSettings } from './settings.js';

const settings = readSettings<TrafficSettings & { answer: boolean; peers: string[] }>();
const PORTS_OPEN = 60;
/** Peers do not choose their ports by chance of this run: both ends know them. */
const ports = ((random) => Array.from({ length: PORTS_OPEN }, () => random.integer(1025, 65_000)))(new Random(7));

function pick<T>(random: Random, list: readonly T[]): T {
  return list[random.integer(0, list.length - 1)]!;
}

async function answerPeers(): Promise<void> {
  const random = new Random(settings.seed);
  const servers = ports.map((port) =>
    createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', () => socket.writable && socket.write(Buffer.alloc(random.integer(68, 9000))));
    })
      .on('error', () => undefined)
      .listen(port),
  );
  const sockets = ports.map((port) => {
    const socket = createSocket('udp4');
    socket.on('error', () => undefined);
    socket.on('message', (_data, from) => socket.send(Buffer.alloc(random.integer(40, 400)), from.port, from.address));
    socket.bind(port);
    return socket;
  });
  await delay(settings.seconds * 1000 + 2500);
  for (const s of [...servers, ...sockets]) s.close();
  process.exit(0);
}

function talk(source: string, to: { host: string; port: number }, random: Random): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ ...to, localAddress: source, timeout: random.integer(1500, 6000) });
    const done = (): void => {
      socket.destroy();
      resolve();
    };
    let left = random.integer(1, 12);
    const say = (): void => {
      if (left-- > 0) socket.write(Buffer.alloc(random.integer(20, 700)));
      else done();
    };
    socket.on('connect', say).on('data', () => setTimeout(say, random.wait(150)));
    socket.on('error', done).on('timeout', done);
  });
}

/** Somebody who was there once: networks that no one answers for. */
const gone = (random: Random): string =>
  `198.${18 + random.integer(0, 1)}.${random.integer(0, 255)}.${random.integer(1, 254)}`;

async function askPeers(source: string): Promise<(random: Random) => Promise<void>> {
  const udp = createSocket('udp4');
  udp.on('error', () => undefined);
  await new Promise<void>((resolve) => udp.bind(0, source, resolve));
  return async (random) => {
    const host = random.next() < 0.35 ? pick(random, settings.peers) : gone(random);
    const port = random.next() < 0.7 ? pick(random, ports) : random.integer(1025, 65_000);
    if (random.next() < 0.4) udp.send(Buffer.alloc(random.integer(40, 120)), port, host);
    else void talk(source, { host, port }, random);
    await think(random, 60);
  };
}

const LIST_PORT = 6346;

/** Tries every host of its list each few seconds, a few at a time. */
function askList(source: string, first: Random): (random: Random) => Promise<void> {
  const size = first.integer(25, 110);
  const list = Array.from({ length: size }, () => (first.next() < 0.8 ? pick(first, settings.peers) : gone(first)));
  const pauseMs = first.integer(40, 400);
  let next = 0;
  return async (random) => {
    void talk(source, { host: list[next++ % list.length]!, port: LIST_PORT }, random);
    await think(random, pauseMs);
  };
}

if (settings.answer) await answerPeers();
const clients = new Map<string, (random: Random) => Promise<void>>();
for (const [i, source] of settings.sources.entries()) {
  clients.set(source, i % 2 === 0 ? await askPeers(source) : askList(source, new Random(settings.seed + 1000 + i)));
}
await forEachSource(settings, async (source, random) => clients.get(source)!(random));
process.exit(0);
