import { readName, type DnsMessage, type DnsRecord } from './message.js';

const CNAME = 5;
const NS = 2;
const SOA = 6;
const PTR = 12;
const MX = 15;

/** Bytes before the name in the data of a record (RFC 1035 3.3): the name of a mail server has its preference before it. */
const NAME_AT: Readonly<Record<number, number>> = { [NS]: 0, [CNAME]: 0, [SOA]: 0, [PTR]: 0, [MX]: 2 };

/** The name that a record's data is or begins with, or undefined when its type has none. */
function nameInData(bytes: Uint8Array, record: DnsRecord): Uint8Array | undefined {
  const before = NAME_AT[record.type];
  if (before === undefined) return undefined;
  const out: number[] = [];
  return readName(bytes, record.at + before, out, () => undefined) < 0 ? undefined : Uint8Array.from(out);
}

/** Every name of a response, of its questions and records, each record's own before the one in its data. */
export function namesOfResponse(message: DnsMessage): Uint8Array[] {
  const records = [...message.answers, ...message.authorities, ...message.additionals];
  return [
    ...message.questions.map((question) => question.name),
    ...records.flatMap((record) => [record.name, ...(record.nameInData === undefined ? [] : [record.nameInData])]),
  ];
}

/** Remembers the names in the data of records while the bytes of the message are there. */
export function keepNamesInData(bytes: Uint8Array, message: DnsMessage): void {
  for (const list of [message.answers, message.authorities, message.additionals])
    for (const record of list) record.nameInData = nameInData(bytes, record);
}
