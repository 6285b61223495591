import type { AppParser, AppTransaction } from '../../domain/app-layer.js';
import type { Direction } from '../../domain/flow.js';
import type { FlowAddresses } from '../app-flow.js';
import type { Expectations, Transfer } from '../expectations.js';
import { bytesOf, Collected, copy, latin1 } from '../http/bytes.js';
import { LineReader } from '../line-reader.js';
import type { AppLayerOptions } from '../options.js';
import { FieldTransaction, TransactionList } from '../transaction.js';

const MAX_LINE = 4096;
const TRANSFERS: Readonly<Record<string, Transfer['command']>> = {
  RETR: 'RETR',
  STOR: 'STOR',
  STOU: 'STOR',
  APPE: 'STOR',
};

/** Commands after which the server (active) or the client (passive) opens the data connection. */
const MODES: Readonly<Record<string, 'active' | 'passive'>> = {
  PORT: 'active',
  EPRT: 'active',
  PASV: 'passive',
  EPSV: 'passive',
};

/** FTP (RFC 959, 2228, 2428): commands with their replies, and the data connections they announce. */
export function createFtpParser(
  options: AppLayerOptions,
  addresses: FlowAddresses,
  expectations: Expectations,
): AppParser {
  return new FtpParser(options, addresses, expectations);
}

class FtpParser implements AppParser {
  readonly proto = 'ftp';
  /** After AUTH TLS something else is spoken. */
  hasEnded = false;
  private readonly list: TransactionList<FieldTransaction>;
  private readonly requests = new LineReader(MAX_LINE);
  private readonly replies = new LineReader(MAX_LINE);
  private readonly unanswered: { tx: FieldTransaction; verb: string }[] = [];
  private readonly addresses: FlowAddresses;
  private readonly expectations: Expectations;
  private transfer: Transfer | undefined;

  constructor(options: AppLayerOptions, addresses: FlowAddresses, expectations: Expectations) {
    this.list = new TransactionList(options.maxTransactions);
    this.addresses = addresses;
    this.expectations = expectations;
  }

  get transactions(): readonly FieldTransaction[] {
    return this.list.all;
  }

  release(transaction: AppTransaction): void {
    this.list.release(transaction);
  }

  onData(direction: Direction, data: Uint8Array, offset: number, length: number): void {
    const line = (text: Uint8Array, isCut: boolean): void => {
      if (direction === 0) this.request(text, isCut);
      else this.reply(text, isCut);
    };
    const reader = direction === 0 ? this.requests : this.replies;
    reader.feed(data.subarray(offset, offset + length), { line, hasEnded: () => this.hasEnded });
  }

  onGap(direction: Direction): void {
    (direction === 0 ? this.requests : this.replies).gap();
  }

  onEnd(direction: Direction): void {
    for (const tx of this.list.all) {
      if (direction === 1 && !tx.fields[1].has('ftp.reply')) tx.numbers[1].set('ftp.reply_received', 0);
      tx.finish(direction);
    }
  }

  private request(line: Uint8Array, isCut: boolean): void {
    if (line.length === 0) return;
    const tx = this.list.open((id) => new FieldTransaction('ftp', id));
    if (isCut) tx.note('request_command_too_long');
    const text = latin1(line);
    const [verb = ''] = /^[^ \t]*/.exec(text) ?? [];
    const argument = copy(line.subarray(Math.min(line.length, verb.length + 1)));
    tx.fields[0].set('ftp.command', Buffer.from(verb, 'latin1'));
    if (argument.length > 0) tx.fields[0].set('ftp.command_data', argument);
    const name = verb.toUpperCase();
    const mode = MODES[name];
    if (mode !== undefined) tx.numbers[0].set('ftp.mode', mode === 'active' ? 0 : 1);
    // The port of a passive connection is in the answer.
    if (mode !== 'passive') tx.finish(0);
    this.unanswered.push({ tx, verb: name });
    if (this.unanswered.length > 64) this.unanswered.shift()!.tx.finish();
    const kind = TRANSFERS[name];
    if (kind !== undefined) this.transfer = { command: kind, name: argument };
    if (mode === 'active') this.active(tx, text);
  }

  /** The client says where the server is to connect to; a third one's address there is an FTP bounce. */
  private active(tx: FieldTransaction, text: string): void {
    const target = fromCommas(text) ?? fromBars(text);
    if (target === undefined) return;
    const client = this.addresses.client();
    tx.numbers[0].set('ftp.bounce', target.address === client ? 0 : 1);
    this.announce(tx, target.address, target.port);
  }

  private reply(line: Uint8Array, isCut: boolean): void {
    const text = latin1(line);
    const m = /^(\d{3})([ -])/.exec(text);
    const next = this.unanswered[0];
    if (isCut) next?.tx.note('response_command_too_long');
    if (next) {
      next.tx.numbers[1].set('ftp.reply_received', 1);
      next.tx.add(1, 'ftp.reply', copy(m ? line.subarray(m[0].length) : line));
      if (m) next.tx.add(1, 'ftp.completion_code', bytesOf(m[1]!));
    }
    if (!m || m[2] === '-' || m[1]!.startsWith('1')) return;
    this.unanswered.shift();
    if (!next) return;
    if (m[1] === '227') this.passive(next.tx, fromCommas(text));
    if (m[1] === '229') {
      const port = Number(/\(\|\|\|(\d{1,5})\|\)/.exec(text)?.[1] ?? NaN);
      this.passive(next.tx, { address: this.addresses.server(), port });
    }
    next.tx.finish();
    if (m[1] === '234' && next.verb === 'AUTH') this.hasEnded = true;
  }

  private passive(tx: FieldTransaction, target: { address: string; port: number } | undefined): void {
    if (target) this.announce(tx, target.address, target.port);
  }

  private announce(tx: FieldTransaction, address: string, port: number): void {
    if (!(port > 0 && port < 65536)) return;
    tx.numbers[0].set('ftp.dynamic_port', port);
    this.transfer = undefined;
    this.expectations.expect(address, port, { proto: 'ftp-data', transfer: () => this.transfer });
  }
}

/** `h1,h2,h3,h4,p1,p2` of PORT and of the reply to PASV. */
function fromCommas(text: string): { address: string; port: number } | undefined {
  const m = /(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3})/.exec(text);
  const n = m?.slice(1).map(Number);
  if (n?.every((x) => x < 256) !== true) return undefined;
  return { address: n.slice(0, 4).join('.'), port: n[4]! * 256 + n[5]! };
}

/** `|1|192.0.2.1|2000|` of EPRT. */
function fromBars(text: string): { address: string; port: number } | undefined {
  const m = /\|([12])\|([0-9a-fA-F.:]{2,45})\|(\d{1,5})\|/.exec(text);
  return m ? { address: m[2]!.toLowerCase(), port: Number(m[3]) } : undefined;
}

/** The data connection of an FTP session: one file, or a listing. */
export function createFtpDataParser(options: AppLayerOptions, transfer: () => Transfer | undefined): AppParser {
  const tx = new FieldTransaction('ftp-data', 0);
  const all: FieldTransaction[] = [tx];
  const data = [new Collected(options.ftpFileKiB * 1024), new Collected(options.ftpFileKiB * 1024)] as const;
  return {
    proto: 'ftp-data',
    transactions: all,
    release() {
      all.length = 0;
    },
    onData(direction, bytes, offset, length) {
      data[direction].add(bytes.subarray(offset, offset + length));
      tx.fields[direction].set('file.data', data[direction].bytes);
      const known = transfer();
      if (!known) return;
      tx.fields[direction].set('file.name', known.name);
      tx.numbers[direction].set('ftpdata.command', known.command === 'RETR' ? 1 : 2);
    },
    onGap() {
      tx.note('gap');
    },
    onEnd(direction) {
      tx.finish(direction);
    },
  };
}
