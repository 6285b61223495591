// A DNS tunnel's client: every query carries up to 110 bytes in its labels, TXT and NULL-like types in turn.
import { createSocket } from 'node:dgram';
import { setTimeout as delay } from 'node:timers/promises';
import { Random } from '../random.js';
import { readSettings, type TrafficSettings } from './settings.js';

const settings = readSettings<TrafficSettings & { ratePerSec: number }>();
const random = new Random(settings.seed);
const TYPES = [16, 1, 15, 28];

function label(): Buffer {
  const text = Array.from({ length: 55 }, () => random.integer(0, 31).toString(32)).join('');
  return Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]);
}

/** A query as RFC 1035 section 4 lays it out, recursion desired. */
function query(id: number): Buffer {
  const header = Buffer.from([id >> 8, id & 255, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  const domain = Buffer.from('\x06tunnel\x07example\0', 'latin1');
  return Buffer.concat([header, label(), label(), domain, Buffer.from([0, TYPES[id % TYPES.length]!, 0, 1])]);
}

const socket = createSocket('udp4').on('message', () => undefined);
await new Promise<void>((resolve) => socket.bind(0, settings.sources[0], resolve));
const end = Date.now() + settings.seconds * 1000;
for (let id = 1; Date.now() < end; id++) {
  socket.send(query(id & 0xffff), 53, settings.target);
  await delay(1000 / settings.ratePerSec);
}
socket.close();
