import { QueuedPacket } from '../../inline/index.js';
import { conversation } from '../sensor/test-packets.js';
import type { Inspector } from './inspector.js';

const CONVERSATIONS = 200;
/** A busy box shall not wait longer for its inline verdicts. */
const LIMIT_MS = 1500;
const FIRST_PORT = 30_000;
/** Frames of a conversation begin with an Ethernet header; queued packets have none. */
const LINK_BYTES = 14;

const REQUESTS = [
  'GET /index.html?page=1&lang=en HTTP/1.1\r\nHost: test.example\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nAccept: */*\r\nCookie: id=4711\r\n\r\n',
  'GET /images/logo.png HTTP/1.1\r\nHost: test.example\r\nAccept: image/*\r\nReferer: http://test.example/index.html\r\n\r\n',
  'POST /form HTTP/1.1\r\nHost: test.example\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 24\r\n\r\nname=somebody&comment=no',
];
const ANSWER = `HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: text/html\r\nContent-Length: 512\r\nConnection: keep-alive\r\n\r\n${'x'.repeat(512)}`;

/**
 * Judges made-up requests between addresses for documentation (RFC 5737) before the first real packet waits: uncompiled, the
 * judging code takes ten times as long. Call it before policies are set, so that nothing is reported; nothing is left behind.
 * @returns packets judged.
 */
export function rehearse(inspector: Inspector): number {
  const says = Array.from({ length: 8 }, (_, i) => [REQUESTS[i % REQUESTS.length]!, ANSWER]).flat();
  const memory = Buffer.alloc(4096);
  const queued = new QueuedPacket();
  const untilMs = performance.now() + LIMIT_MS;
  let packets = 0;
  for (let n = 0; n < CONVERSATIONS && performance.now() < untilMs; n++) {
    for (const frame of conversation(FIRST_PORT + n, 80, says)) {
      memory.set(frame);
      queued.id = ++packets;
      queued.data = memory;
      queued.offset = LINK_BYTES;
      queued.length = queued.fullLength = frame.length - LINK_BYTES;
      inspector.onQueued(queued);
    }
  }
  inspector.forgetAll();
  return packets;
}
