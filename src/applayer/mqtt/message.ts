import { copy } from '../http/bytes.js';

/** Packet types (OASIS MQTT 5.0, 2.1.2). */
export const MQTT_TYPES = {
  CONNECT: 1,
  CONNACK: 2,
  PUBLISH: 3,
  PUBACK: 4,
  PUBREC: 5,
  PUBREL: 6,
  PUBCOMP: 7,
  SUBSCRIBE: 8,
  SUBACK: 9,
  UNSUBSCRIBE: 10,
  UNSUBACK: 11,
  PINGREQ: 12,
  PINGRESP: 13,
  DISCONNECT: 14,
  AUTH: 15,
} as const;
const T = MQTT_TYPES;

export interface MqttMessage {
  type: number;
  flags: number;
  /** Packet identifier. */
  id: number | undefined;
  fields: Map<string, Uint8Array[]>;
  numbers: Map<string, number>;
  events: string[];
}

class Reader {
  at = 0;
  readonly d: Uint8Array;
  /** Something was read beyond the end. */
  isShort = false;

  constructor(d: Uint8Array) {
    this.d = d;
  }

  get left(): number {
    return this.d.length - this.at;
  }

  u8(): number {
    if (this.at >= this.d.length) {
      this.isShort = true;
      return 0;
    }
    return this.d[this.at++]!;
  }

  u16(): number {
    return this.u8() * 256 + this.u8();
  }

  bytes(n: number): Uint8Array {
    const end = Math.min(this.d.length, this.at + n);
    if (end - this.at < n) this.isShort = true;
    const out = copy(this.d.subarray(this.at, end));
    this.at = end;
    return out;
  }

  text(): Uint8Array {
    return this.bytes(this.u16());
  }

  /** Properties of version 5 are let pass. */
  properties(version: number): void {
    if (version < 5) return;
    const { value, used } = variable(this.d, this.at);
    if (used <= 0) this.isShort = true;
    else this.bytes(used + value);
  }
}

/** A number of one to four bytes; used 0: more is needed, -1: it is none. */
function variable(d: Uint8Array, from: number): { value: number; used: number } {
  let value = 0;
  for (let i = 0; i < 4; i++) {
    const byte = d[from + i];
    if (byte === undefined) return { value: 0, used: 0 };
    value += (byte & 127) * 128 ** i;
    if (byte < 128) return { value, used: i + 1 };
  }
  return { value: 0, used: -1 };
}

/** The message at the beginning of the bytes; one larger than `max` is read as far as it is kept. */
export function readMqtt(
  d: Uint8Array,
  version: number,
  max: number,
): { message: MqttMessage; length: number } | 'wait' | 'bad' {
  if (d.length < 2) return 'wait';
  const { value, used } = variable(d, 1);
  if (used < 0) return 'bad';
  if (used === 0) return 'wait';
  const length = 1 + used + value;
  if (d.length < Math.min(length, max)) return 'wait';
  const body = new Reader(d.subarray(1 + used, Math.min(length, d.length)));
  const message: MqttMessage = {
    type: d[0]! >> 4,
    flags: d[0]! & 15,
    id: undefined,
    fields: new Map(),
    numbers: new Map(),
    events: [],
  };
  if (message.type === 0 || (message.type === 15 && version < 5)) message.events.push('unassigned_msg_type');
  if (message.type === T.PUBLISH && (message.flags & 6) === 6) message.events.push('invalid_qos_level');
  readBody(message, body, version);
  if (body.isShort && length <= d.length) message.events.push('malformed_traffic');
  return { message, length };
}

function readBody(m: MqttMessage, r: Reader, version: number): void {
  const field = (name: string, value: Uint8Array): void => {
    m.fields.set(name, [...(m.fields.get(name) ?? []), value]);
  };
  switch (m.type) {
    case T.CONNECT:
      readConnect(m, r, field);
      return;
    case T.CONNACK:
      m.numbers.set('mqtt.connack.session_present', r.u8() & 1);
      m.numbers.set('mqtt.reason_code', r.u8());
      return;
    case T.PUBLISH:
      field('mqtt.publish.topic', r.text());
      if (m.flags & 6) m.id = r.left >= 2 ? r.u16() : undefined;
      r.properties(version);
      field('mqtt.publish.message', r.bytes(r.left));
      return;
    case T.PUBACK:
    case T.PUBREC:
    case T.PUBREL:
    case T.PUBCOMP:
      m.id = r.left >= 2 ? r.u16() : undefined;
      if (r.left > 0) m.numbers.set('mqtt.reason_code', r.u8());
      return;
    case T.SUBSCRIBE:
    case T.UNSUBSCRIBE:
      m.id = r.left >= 2 ? r.u16() : undefined;
      r.properties(version);
      for (let n = 0; r.left > 0 && n < 100 && !r.isShort; n++) {
        field(m.type === T.SUBSCRIBE ? 'mqtt.subscribe.topic' : 'mqtt.unsubscribe.topic', r.text());
        if (m.type === T.SUBSCRIBE) r.u8();
      }
      return;
    case T.SUBACK:
    case T.UNSUBACK:
      m.id = r.left >= 2 ? r.u16() : undefined;
      r.properties(version);
      if (r.left > 0) m.numbers.set('mqtt.reason_code', r.u8());
      return;
    case T.DISCONNECT:
    case T.AUTH:
      if (version >= 5) m.numbers.set('mqtt.reason_code', r.left > 0 ? r.u8() : 0);
  }
}

const WILL = 4;

function readConnect(m: MqttMessage, r: Reader, field: (name: string, value: Uint8Array) => void): void {
  field('mqtt.connect.protocol_string', r.text());
  const version = r.u8();
  m.numbers.set('version', version);
  const flags = r.u8();
  m.numbers.set('mqtt.connect.flags', flags);
  r.u16();
  r.properties(version);
  field('mqtt.connect.clientid', r.text());
  if (flags & WILL) {
    r.properties(version);
    field('mqtt.connect.willtopic', r.text());
    field('mqtt.connect.willmessage', r.text());
  }
  if (flags & 128) field('mqtt.connect.username', r.text());
  if (flags & 64) field('mqtt.connect.password', r.text());
}
