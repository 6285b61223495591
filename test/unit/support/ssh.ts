import { TCP, type DecodedPacket } from '../../../src/domain/packet.js';
import { packet } from './packets.js';
import { back, handshake, type Talk } from './replay.js';

/** How a cipher and its MAC lengthen a message (RFC 4253 section 6): blocks, MAC, and whether the length counts among the blocks. */
interface Cipher {
  block: number;
  mac: number;
  countsLength: boolean;
}

export const CIPHERS: Readonly<Record<string, Cipher>> = {
  'chacha20-poly1305': { block: 8, mac: 16, countsLength: false },
  'aes256-gcm': { block: 16, mac: 16, countsLength: false },
  'aes128-ctr with umac-64-etm': { block: 16, mac: 8, countsLength: false },
  'aes256-ctr with hmac-sha2-512': { block: 16, mac: 64, countsLength: true },
  '3des-cbc with hmac-sha1': { block: 8, mac: 20, countsLength: true },
};

/** Bytes on the wire of a message: its length and that of its padding, four bytes of padding at least. */
function onWire({ block, mac, countsLength }: Cipher, payload: number, multiple = block): number {
  const length = countsLength ? 4 : 0;
  return Math.ceil((length + 1 + payload + 4) / multiple) * multiple - length + 4 + mac;
}

const METHODS = 'publickey,password';
const DATA = TCP.PSH | TCP.ACK;

interface Server {
  cipher?: Cipher;
  /** What refusals list. */
  methods?: string;
  /** Bytes of a text that it shows with its first answer to a login. */
  banner?: number;
}

/** One SSH connection, message by message, as programs send them; times are those of the wire. */
export class SshTalk {
  readonly packets: DecodedPacket[] = [];
  private readonly talk: Talk;
  private readonly cipher: Cipher;
  private readonly methods: string;
  private readonly user: string;
  private readonly pads: boolean;
  private banner: number;
  private at: number;

  /** @param client what the client calls itself; one that begins with OpenSSH pads what it types. */
  constructor(talk: Talk, client = 'libssh', user = 'alice', server: Server = {}) {
    this.talk = { dport: 22, ...talk };
    this.cipher = server.cipher ?? CIPHERS['chacha20-poly1305']!;
    this.methods = server.methods ?? METHODS;
    this.banner = server.banner ?? 0;
    this.user = user;
    this.pads = client.startsWith('OpenSSH');
    this.packets.push(...handshake(this.talk));
    this.at = talk.at + 0.01;
    this.server('SSH-2.0-OpenSSH_9.2\r\n');
    this.client(`SSH-2.0-${client}\r\n`);
    this.client(1200);
    this.server(1088);
    this.client(48);
    // The reply comes in two segments, the second of which is short.
    this.server(1448);
    this.server(116);
    this.client(16);
    this.askService();
  }

  /** Seconds until the next message. */
  wait(secs: number): this {
    this.at += secs;
    return this;
  }

  askService(): this {
    return this.clientMessage(17).serverMessage(17);
  }

  none(): this {
    return this.clientMessage(31 + this.user.length).refusal();
  }

  password(password: string, isRight = false): this {
    this.typed(40 + this.user.length + password.length);
    return isRight ? this.success() : this.refusal();
  }

  /** A right password; what the server says next is in the segment of its success. */
  welcomed(password: string): this {
    this.typed(40 + this.user.length + password.length);
    this.server(onWire(this.cipher, 1) + onWire(this.cipher, 200));
    return this;
  }

  /** Offers of keys of type Ed25519, the shortest there are. */
  keys(count: number): this {
    for (let i = 0; i < count; i++) this.clientMessage(107 + this.user.length).refusal();
    return this;
  }

  /** The key is known; its signature follows. */
  rightKey(): this {
    this.clientMessage(107 + this.user.length).serverMessage(71);
    return this.clientMessage(190 + this.user.length).success();
  }

  /** A request for a prompt, and the server's question. */
  question(prompt: string): this {
    return this.clientMessage(55 + this.user.length).outcome(22 + prompt.length);
  }

  /** A question of the server, and what is typed. */
  keyboard(prompt: string, password: string, isRight = false): this {
    this.question(prompt).typed(9 + password.length);
    return isRight ? this.success() : this.refusal();
  }

  /** A short command: host keys nobody asked for, a channel, what it does, and its end. */
  session(): this {
    this.clientMessage(24).serverMessage(64).serverMessage(17);
    return this.clientMessage(30).serverMessage(50).serverMessage(90).clientMessage(9);
  }

  /** A wrong password; the server has enough of it, says so and ends. */
  lastPassword(password: string): this {
    this.typed(40 + this.user.length + password.length);
    return this.serverMessage(45).end();
  }

  end(): this {
    this.packets.push(packet({ ...back(this.talk), at: this.next(), flags: TCP.FIN | TCP.ACK }));
    this.packets.push(packet({ ...this.talk, at: this.next(), flags: TCP.FIN | TCP.ACK }));
    return this;
  }

  private refusal(): this {
    return this.outcome(6 + this.methods.length);
  }

  private success(): this {
    return this.outcome(1);
  }

  private outcome(payload: number): this {
    const banner = this.banner === 0 ? 0 : onWire(this.cipher, 9 + this.banner);
    this.banner = 0;
    this.server(banner + onWire(this.cipher, payload));
    return this;
  }

  private typed(payload: number): void {
    this.client(onWire(this.cipher, payload, this.pads ? 64 : undefined));
  }

  private clientMessage(payload: number): this {
    this.client(onWire(this.cipher, payload));
    return this;
  }

  private serverMessage(payload: number): this {
    this.server(onWire(this.cipher, payload));
    return this;
  }

  private client(payload: string | number): void {
    this.packets.push(packet({ ...this.talk, at: this.next(), flags: DATA, payload }));
  }

  private server(payload: string | number): void {
    this.packets.push(packet({ ...back(this.talk), at: this.next(), flags: DATA, payload }));
  }

  private next(): number {
    this.at += 0.005;
    return this.at;
  }
}

/** The packets of several connections as a wire shows them. */
export function interleaved(talks: readonly SshTalk[]): DecodedPacket[] {
  return talks.flatMap(({ packets }) => packets).sort((a, b) => a.tsUs - b.tsUs);
}
