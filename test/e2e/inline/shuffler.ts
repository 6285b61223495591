import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { NF_ACCEPT, PacketQueue } from '../../../src/inline/index.js';
import type { Host } from '../../lab/lab.js';
import { ADDRESS } from '../../lab/topology.js';

const QUEUE = 4100;
const TALKER = fileURLToPath(new URL('./talker.mjs', import.meta.url));
/** Longer than a retransmission timeout: some segments are sent twice. */
const LATE_MS = 260;

/** Reorders what a client sends: its segments wait in a queue of the client's own, and leave in another order. */
export class Shuffler {
  reordered = 0;
  private readonly host: Host;
  private readonly port: number;
  private readonly queue: PacketQueue;
  private readonly timer: NodeJS.Timeout;
  private waiting: { id: number; untilMs: number }[] = [];
  private seen = 0;

  private constructor(host: Host, port: number) {
    this.host = host;
    this.port = port;
    const options = { number: QUEUE, maxPackets: 1000, copyBytes: 200, gso: false, failOpen: false };
    this.queue = new PacketQueue({ ...options, socketBufferBytes: 1 << 20, netns: host.netns });
    this.timer = setInterval(() => this.turn(), 2);
  }

  static async open(host: Host, port: number): Promise<Shuffler> {
    const shuffler = new Shuffler(host, port);
    shuffler.rule('-A');
    return Promise.resolve(shuffler);
  }

  /** Sends a text a few bytes at a time. @returns what was answered, empty when nothing came. */
  async send(text: string): Promise<string> {
    const { stdout } = await this.host.run(process.execPath, [TALKER, ADDRESS.victim.ip4, String(this.port), text]);
    return stdout;
  }

  close(): void {
    this.rule('-D');
    clearInterval(this.timer);
    this.queue.close();
  }

  private turn(): void {
    const nowMs = performance.now();
    this.queue.drain((packet) => {
      const ihl = (packet.data[packet.offset]! & 15) * 4;
      const isSyn = (packet.data[packet.offset + ihl + 13]! & 2) !== 0;
      const n = this.seen++;
      // Every fourth is late by some milliseconds, and one in sixteen by so much that it is sent again.
      const lateMs = isSyn || n % 4 !== 1 ? 0 : n % 16 === 5 ? LATE_MS : 12;
      if (lateMs === 0) return this.queue.verdict(packet.id, NF_ACCEPT, -1);
      this.reordered++;
      this.queue.hold();
      this.waiting.push({ id: packet.id, untilMs: nowMs + lateMs });
    });
    for (const late of this.waiting.filter((w) => w.untilMs <= nowMs)) {
      this.queue.verdict(late.id, NF_ACCEPT, -1);
      this.queue.held--;
    }
    this.waiting = this.waiting.filter((w) => w.untilMs > nowMs);
    this.queue.flush();
  }

  private rule(command: '-A' | '-D'): void {
    const match = ['OUTPUT', '-p', 'tcp', '--dport', String(this.port), '-j', 'NFQUEUE', '--queue-num', String(QUEUE)];
    execFileSync('ip', ['netns', 'exec', this.host.netns, 'iptables-nft', '-t', 'mangle', command, ...match]);
  }
}
