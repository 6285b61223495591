import { PROGRESS_DONE, type AppParser, type AppTransaction, type BufferValue } from '../../domain/app-layer.js';
import type { Direction } from '../../domain/flow.js';
import { NOTHING, bytesOf, chomp, concat, latin1, copy } from '../http/bytes.js';
import type { AppLayerOptions } from '../options.js';
import { md5 } from '../tls/hello.js';

const LF = 10;
const KEXINIT = 20;
const NEWKEYS = 21;
const MAX_BANNER = 8192;
const COOKIE_BYTES = 16;

/** SSH banners and key exchange offers (RFC 4253); HASSH (https://github.com/salesforce/hassh). */
export function createSshParser(options: AppLayerOptions): AppParser {
  return new SshParser(options);
}

interface Side {
  protocol: Uint8Array | undefined;
  software: Uint8Array | undefined;
  hassh: string | undefined;
}

class SshTransaction implements AppTransaction {
  readonly proto = 'ssh';
  readonly id = 0;
  readonly progress: [number, number] = [0, 0];
  readonly events: string[] = [];
  readonly sides: [Side, Side] = [
    { protocol: undefined, software: undefined, hassh: undefined },
    { protocol: undefined, software: undefined, hassh: undefined },
  ];

  buffer(name: string, direction: Direction): BufferValue | undefined {
    const side = this.sides[direction];
    const hassh = (of: Direction, isHash: boolean): Uint8Array | undefined => {
      const text = this.sides[of].hassh;
      return text === undefined ? undefined : bytesOf(isHash ? md5(text) : text);
    };
    switch (name) {
      case 'ssh.proto':
        return side.protocol;
      case 'ssh.software':
        return side.software;
      case 'ssh.hassh':
        return hassh(0, true);
      case 'ssh.hassh.string':
        return hassh(0, false);
      case 'ssh.hassh.server':
        return hassh(1, true);
      case 'ssh.hassh.server.string':
        return hassh(1, false);
    }
    return undefined;
  }

  number(): number | undefined {
    return undefined;
  }
}

class SshParser implements AppParser {
  readonly proto = 'ssh';
  readonly transactions: SshTransaction[];
  private readonly tx = new SshTransaction();
  private readonly held: [Uint8Array, Uint8Array] = [NOTHING, NOTHING];
  private readonly state: ['banner' | 'packets' | 'over', 'banner' | 'packets' | 'over'] = ['banner', 'banner'];
  private readonly isHidden = [false, false];
  private readonly maxPacket: number;

  constructor(options: AppLayerOptions) {
    this.maxPacket = options.sshKexKiB * 1024;
    this.transactions = [this.tx];
  }

  get isEncrypted(): boolean {
    return this.isHidden[0]! && this.isHidden[1]!;
  }

  onData(direction: Direction, data: Uint8Array, offset: number, length: number): void {
    if (this.state[direction] === 'over') return;
    let rest = concat(this.held[direction], data.subarray(offset, offset + length));
    for (let used = -1; used !== 0 && !this.isOver(direction); rest = rest.subarray(used)) {
      used = this.state[direction] === 'banner' ? this.banner(rest, direction) : this.packet(rest, direction);
    }
    this.held[direction] = this.isOver(direction) || rest.length === 0 ? NOTHING : copy(rest);
  }

  onGap(direction: Direction): void {
    this.finish(direction);
  }

  onEnd(direction: Direction): void {
    if (this.state[direction] === 'banner' && this.held[direction].length > 0) {
      this.readBanner(this.held[direction], direction);
    }
    this.finish(direction);
  }

  release(transaction: AppTransaction): void {
    const at = this.transactions.indexOf(transaction as SshTransaction);
    if (at >= 0) this.transactions.splice(at, 1);
  }

  private note(event: string): void {
    if (!this.tx.events.includes(event)) this.tx.events.push(event);
  }

  private isOver(direction: Direction): boolean {
    return this.state[direction] === 'over';
  }

  private finish(direction: Direction): void {
    this.state[direction] = 'over';
    this.held[direction] = NOTHING;
    this.tx.progress[direction] = PROGRESS_DONE;
  }

  /** Lines before the one that begins with "SSH-" are a server's greeting. */
  private banner(d: Uint8Array, direction: Direction): number {
    const end = d.indexOf(LF);
    if (end < 0) {
      if (d.length <= MAX_BANNER) return 0;
      this.note('long_banner');
      this.finish(direction);
      return 0;
    }
    if (latin1(d.subarray(0, 4)) === 'SSH-') this.readBanner(d.subarray(0, end + 1), direction);
    else this.note('invalid_banner');
    return end + 1;
  }

  private readBanner(line: Uint8Array, direction: Direction): void {
    const text = latin1(chomp(line));
    const match = /^SSH-([^-]*)-?([^ ]*)/.exec(text);
    if (!/^SSH-[^-]*-/.test(text)) this.note('invalid_banner');
    if (match === null) return;
    if (line.length > 255) this.note('long_banner');
    const side = this.tx.sides[direction];
    side.protocol = bytesOf(match[1]!);
    if (match[2] !== '') side.software = bytesOf(match[2]!);
    this.state[direction] = 'packets';
    this.tx.progress[direction] = 1;
  }

  private packet(d: Uint8Array, direction: Direction): number {
    if (d.length < 6) return 0;
    const length = (d[0]! * 2 ** 24 + (d[1]! << 16) + (d[2]! << 8) + d[3]!) >>> 0;
    if (length < 2 || length > this.maxPacket) {
      if (length < 2) this.note('invalid_record');
      this.finish(direction);
      return 0;
    }
    if (d.length < 4 + length) return 0;
    const payload = d.subarray(5, Math.max(5, 4 + length - d[4]!));
    if (payload[0] === KEXINIT) {
      this.tx.sides[direction].hassh ??= hasshOf(payload, direction);
      this.tx.progress[direction] = 2;
    }
    // After NEWKEYS everything is encrypted.
    if (payload[0] === NEWKEYS) {
      this.isHidden[direction] = true;
      this.finish(direction);
    }
    return 4 + length;
  }
}

/** Key exchange, encryption, MAC and compression algorithms offered by this side. */
function hasshOf(payload: Uint8Array, direction: Direction): string | undefined {
  const lists: string[] = [];
  for (let at = 1 + COOKIE_BYTES; lists.length < 8;) {
    if (at + 4 > payload.length) return undefined;
    const length = payload[at]! * 2 ** 24 + (payload[at + 1]! << 16) + (payload[at + 2]! << 8) + payload[at + 3]!;
    if (at + 4 + length > payload.length) return undefined;
    lists.push(latin1(payload.subarray(at + 4, at + 4 + length)));
    at += 4 + length;
  }
  return [lists[0], lists[2 + direction], lists[4 + direction], lists[6 + direction]].join(';');
}
