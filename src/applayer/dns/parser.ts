import { PROGRESS_DONE, type AppParser, type AppTransaction, type BufferValue } from '../../domain/app-layer.js';
import type { Direction } from '../../domain/flow.js';
import { concat, NOTHING, copy } from '../http/bytes.js';
import type { AppLayerOptions } from '../options.js';
import { parseDns, type DnsMessage } from './message.js';
import { keepNamesInData, namesOfResponse } from './names.js';

/** DNS over UDP, a message a datagram, and over TCP, with the length before each message (RFC 1035 4.2.2). */
export function createDnsParser(options: AppLayerOptions, transport: 'tcp' | 'udp'): AppParser {
  return new DnsParser(options, transport === 'tcp', 'dns');
}

/** Multicast DNS (RFC 6762): the same messages, questions and answers from anybody to all. */
export function createMdnsParser(options: AppLayerOptions): AppParser {
  return new DnsParser(options, false, 'mdns');
}

/** Each message is a transaction of its own, as in Suricata. */
class DnsTransaction implements AppTransaction {
  readonly proto: 'dns' | 'mdns';
  readonly id: number;
  readonly progress: readonly [number, number];
  readonly events: string[];
  private readonly message: DnsMessage;
  readonly side: Direction;

  constructor(proto: 'dns' | 'mdns', id: number, message: DnsMessage, direction: Direction) {
    this.proto = proto;
    this.id = id;
    this.message = message;
    this.side = direction;
    this.events = message.events;
    this.progress = [PROGRESS_DONE, PROGRESS_DONE];
  }

  note(event: string): void {
    if (!this.events.includes(event)) this.events.push(event);
  }

  buffer(name: string, direction: Direction): BufferValue | undefined {
    if (direction !== this.side) return undefined;
    const m = this.message;
    const names = (list: readonly { name: Uint8Array }[]): BufferValue | undefined =>
      list.length > 0 ? list.map((r) => r.name) : undefined;
    switch (this.proto === 'mdns' ? name.replace('mdns.', 'dns.') : name) {
      case 'dns.query':
        return m.isResponse ? undefined : names(m.questions);
      case 'dns.query.name':
      case 'dns.queries.rrname':
        return names(m.questions);
      case 'dns.answer.name':
      case 'dns.answers.rrname':
        return names(m.answers);
      case 'dns.authorities.rrname':
        return names(m.authorities);
      case 'dns.additionals.rrname':
        return names(m.additionals);
      case 'dns.response.rrname':
        return m.isResponse ? namesOfResponse(m) : undefined;
    }
    return undefined;
  }

  number(name: string, direction?: Direction): number | undefined {
    if (direction !== undefined && direction !== this.side) return undefined;
    const m = this.message;
    switch (name) {
      case 'dns.opcode':
        return m.opcode;
      case 'dns.rcode':
        return m.isResponse ? m.rcode : undefined;
      case 'dns.flags':
        return m.flags;
    }
    return undefined;
  }

  numbersOf(name: string, direction: Direction): readonly number[] | undefined {
    if (name !== 'dns.rrtype' || direction !== this.side) return undefined;
    const m = this.message;
    return (m.isResponse ? m.answers : m.questions).map((record) => record.type);
  }
}

class DnsParser implements AppParser {
  readonly proto: 'dns' | 'mdns';
  readonly transactions: DnsTransaction[] = [];
  private readonly options: AppLayerOptions;
  private readonly isTcp: boolean;
  private readonly held: [Uint8Array, Uint8Array] = [NOTHING, NOTHING];
  private readonly isLost = [false, false];
  private nextId = 0;

  constructor(options: AppLayerOptions, isTcp: boolean, proto: 'dns' | 'mdns') {
    this.proto = proto;
    this.options = options;
    this.isTcp = isTcp;
  }

  onData(direction: Direction, data: Uint8Array, offset: number, length: number): void {
    const fresh = data.subarray(offset, offset + length);
    if (!this.isTcp) {
      this.message(fresh, direction);
      return;
    }
    if (this.isLost[direction]) return;
    let rest = concat(this.held[direction], fresh);
    while (rest.length >= 2) {
      const size = rest[0]! * 256 + rest[1]!;
      if (rest.length < 2 + size) break;
      if (size > 0) this.message(rest.subarray(2, 2 + size), direction);
      rest = rest.subarray(2 + size);
    }
    this.held[direction] = rest.length > 0 ? copy(rest) : NOTHING;
  }

  onGap(direction: Direction): void {
    this.isLost[direction] = true;
    this.held[direction] = NOTHING;
  }

  onEnd(direction: Direction): void {
    this.isLost[direction] = true;
    this.held[direction] = NOTHING;
  }

  release(transaction: AppTransaction): void {
    const at = this.transactions.indexOf(transaction as DnsTransaction);
    if (at >= 0) this.transactions.splice(at, 1);
  }

  private message(d: Uint8Array, direction: Direction): void {
    const message = parseDns(d, this.options.dnsMaxNames);
    if (message === undefined) return;
    const isTurned = this.isTcp && message.isResponse !== (direction === 1);
    if (message.isMalformed) {
      // As in Suricata it is the message before it that tells, when that one came just now.
      const before = this.isTcp ? this.transactions.at(-1) : undefined;
      if (before?.side === direction) before.note('malformed_data');
      return;
    }
    if (message.isResponse) keepNamesInData(d, message);
    if (isTurned) message.events.push(message.isResponse ? 'not_request' : 'not_response');
    this.transactions.push(new DnsTransaction(this.proto, this.nextId++, message, direction));
    if (this.transactions.length > this.options.maxTransactions) this.transactions.shift();
  }
}
