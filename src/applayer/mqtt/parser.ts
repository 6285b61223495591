import { PROGRESS_DONE, type AppParser, type AppTransaction } from '../../domain/app-layer.js';
import type { Direction } from '../../domain/flow.js';
import { concat, copy, NOTHING } from '../http/bytes.js';
import type { AppLayerOptions } from '../options.js';
import { FieldTransaction, TransactionList } from '../transaction.js';
import { MQTT_TYPES as T, readMqtt, type MqttMessage } from './message.js';

/** MQTT 3.1, 3.1.1 and 5.0. Messages that belong together are one transaction, as in Suricata. */
export function createMqttParser(options: AppLayerOptions): AppParser {
  return new MqttParser(options);
}

const CONNECT_BITS = [128, 64, 32, 4, 2];
/** Bits of the first byte that rules ask for together: DUP, RETAIN. */
const FLAG_MASKS = [8, 1, 9];

/** Which message opens the transaction that an answer belongs to. */
const ANSWERS: Readonly<Record<number, { opener: string; event: string; closes: boolean }>> = {
  [T.PUBACK]: { opener: 'publish', event: 'missing_publish', closes: true },
  [T.PUBREC]: { opener: 'publish', event: 'missing_publish', closes: false },
  [T.PUBREL]: { opener: 'publish', event: 'missing_publish', closes: false },
  [T.PUBCOMP]: { opener: 'publish', event: 'missing_publish', closes: true },
  [T.SUBACK]: { opener: 'subscribe', event: 'missing_subscribe', closes: true },
  [T.UNSUBACK]: { opener: 'unsubscribe', event: 'missing_unsubscribe', closes: true },
};

/** A message with its answer. Its numbers are those of the last message, and judged once it is complete. */
class MqttTransaction extends FieldTransaction {
  constructor(id: number, direction: Direction) {
    super('mqtt', id, direction);
  }

  override number(name: string, direction?: Direction): number | undefined {
    const isComplete = this.progress[0] === PROGRESS_DONE && this.progress[1] === PROGRESS_DONE;
    return isComplete ? super.number(name, direction) : undefined;
  }
}

class MqttParser implements AppParser {
  readonly proto = 'mqtt';
  private readonly list: TransactionList<FieldTransaction>;
  private readonly held: [Uint8Array, Uint8Array] = [NOTHING, NOTHING];
  private readonly skip = [0, 0];
  private readonly isLost = [false, false];
  private readonly maxMessage: number;
  private version = 4;
  private isConnected = false;
  private connect: FieldTransaction | undefined;
  /** Transactions that wait for an answer, by what opened them and the packet id. */
  private readonly waiting = new Map<string, FieldTransaction>();

  constructor(options: AppLayerOptions) {
    this.list = new TransactionList(options.maxTransactions);
    this.maxMessage = options.mqttMessageKiB * 1024;
  }

  get transactions(): readonly FieldTransaction[] {
    return this.list.all;
  }

  release(transaction: AppTransaction): void {
    this.list.release(transaction);
    for (const [key, tx] of this.waiting) if (tx === transaction) this.waiting.delete(key);
  }

  onData(direction: Direction, data: Uint8Array, offset: number, length: number): void {
    if (this.isLost[direction]) return;
    let rest = concat(this.held[direction], data.subarray(offset, offset + length));
    while (rest.length > 0) {
      if (this.skip[direction]! > 0) {
        const n = Math.min(this.skip[direction]!, rest.length);
        this.skip[direction]! -= n;
        rest = rest.subarray(n);
        continue;
      }
      const read = readMqtt(rest, this.version, this.maxMessage);
      if (read === 'wait') break;
      if (read === 'bad') {
        this.lose(direction);
        return;
      }
      this.message(read.message, direction);
      this.skip[direction] = Math.max(0, read.length - rest.length);
      rest = rest.subarray(Math.min(read.length, rest.length));
    }
    this.held[direction] = rest.length > 0 ? copy(rest) : NOTHING;
  }

  onGap(direction: Direction): void {
    this.lose(direction);
  }

  onEnd(direction: Direction): void {
    for (const tx of this.list.all) tx.finish(direction);
  }

  private lose(direction: Direction): void {
    this.isLost[direction] = true;
    this.held[direction] = NOTHING;
  }

  private open(m: MqttMessage, direction: Direction): FieldTransaction {
    const tx = this.list.open((id) => new MqttTransaction(id, direction));
    if (this.list.isFull) tx.note('too_many_transactions');
    this.describe(tx, m);
    return tx;
  }

  /** A message that is complete by itself. */
  private single(m: MqttMessage, direction: Direction, event?: string): void {
    const tx = this.open(m, direction);
    if (event !== undefined) tx.note(event);
    tx.finish();
  }

  private describe(tx: FieldTransaction, m: MqttMessage): void {
    for (const d of [0, 1] as const) {
      for (const [name, value] of m.fields) for (const v of value) tx.add(d, name, v, 256);
      for (const [name, value] of m.numbers) tx.numbers[d].set(name, value);
      tx.numbers[d].set('mqtt.protocol_version', this.version);
      for (let type = 1; type <= 15; type++) {
        const name = `mqtt.type.${type}`;
        if (m.type === type || !tx.numbers[d].has(name)) tx.numbers[d].set(name, m.type === type ? 1 : 0);
      }
      // Of any message of the transaction: an answer does not take back what its request said.
      for (const mask of FLAG_MASKS) tx.numbers[d].set(`mqtt.flags&${mask}=${m.flags & mask}`, 1);
      tx.numbers[d].set(`mqtt.qos=${(m.flags >> 1) & 3}`, 1);
      const connect = m.numbers.get('mqtt.connect.flags');
      for (const bit of connect === undefined ? [] : CONNECT_BITS)
        tx.numbers[d].set(`mqtt.connect.flags&${bit}`, (connect! & bit) === 0 ? 0 : 1);
    }
    for (const event of m.events) tx.note(event);
  }

  private message(m: MqttMessage, direction: Direction): void {
    if (m.type === T.CONNECT) {
      this.version = m.numbers.get('version') ?? 4;
      if (this.isConnected) {
        this.single(m, direction, 'double_connect');
        return;
      }
      this.connect = this.open(m, direction);
      return;
    }
    if (m.type === T.CONNACK) {
      if (!this.connect) this.single(m, direction, 'missing_connect');
      else {
        this.describe(this.connect, m);
        this.connect.finish();
      }
      this.isConnected = true;
      return;
    }
    if (!this.isConnected) {
      this.single(m, direction, 'unintroduced_message');
      return;
    }
    const answer = ANSWERS[m.type];
    if (answer) this.answer(m, direction, answer);
    else this.request(m, direction);
  }

  private request(m: MqttMessage, direction: Direction): void {
    const opener = m.type === T.PUBLISH ? 'publish' : m.type === T.SUBSCRIBE ? 'subscribe' : 'unsubscribe';
    const waits = (m.type === T.PUBLISH && m.flags & 6) || m.type === T.SUBSCRIBE || m.type === T.UNSUBSCRIBE;
    if (!waits || m.id === undefined) {
      this.single(m, direction, waits ? 'missing_msg_id' : undefined);
      return;
    }
    const tx = this.open(m, direction);
    const key = `${opener} ${m.id}`;
    this.waiting.get(key)?.finish();
    this.waiting.set(key, tx);
    if (this.waiting.size > 256) {
      const [oldest, old] = this.waiting.entries().next().value!;
      old.finish();
      this.waiting.delete(oldest);
    }
  }

  private answer(m: MqttMessage, direction: Direction, { opener, event, closes }: (typeof ANSWERS)[number]): void {
    if (m.id === undefined) {
      this.single(m, direction, 'missing_msg_id');
      return;
    }
    const key = `${opener} ${m.id}`;
    const tx = this.waiting.get(key);
    if (!tx) {
      this.single(m, direction, event);
      return;
    }
    this.describe(tx, m);
    if (!closes) return;
    tx.finish();
    this.waiting.delete(key);
  }
}
