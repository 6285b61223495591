import { le16, le32 } from './wire.js';

/** Messages of SMB and DCE/RPC for tests: client and server with one file open. */
const zeros = (n: number): number[] => Array<number>(n).fill(0);
const wide = (text: string): number[] => [...Buffer.from(text, 'utf16le')];
const raw = (d: string | Uint8Array): number[] => (typeof d === 'string' ? [...Buffer.from(d, 'latin1')] : [...d]);
const frame = (body: readonly number[]): Uint8Array =>
  Uint8Array.from([0, (body.length >> 16) & 255, (body.length >> 8) & 255, body.length & 255, ...body]);

const TREE = 2;
const FILE_ID = Array.from({ length: 16 }, (_, i) => i + 1);
const PIPE_TRANSCEIVE = 0x11c017;

interface Header {
  id?: number;
  isAnswer?: boolean;
}

export function smb2(command: number, body: readonly number[], { id = 1, isAnswer = false }: Header = {}): Uint8Array {
  const header = [0xfe, 0x53, 0x4d, 0x42, ...le16(64), ...zeros(6), ...le16(command), ...le16(1)];
  header.push(...le32(isAnswer ? 1 : 0), ...le32(0), ...le32(id), ...zeros(8), ...le32(TREE), ...zeros(24));
  return frame([...header, ...body]);
}

export const negotiate = (): Uint8Array => smb2(0, [...le16(36), ...le16(1), ...zeros(32), ...le16(0x210)]);
export const negotiated = (maxRead: number, maxWrite: number): Uint8Array =>
  smb2(
    0,
    [
      ...le16(65),
      ...le16(1),
      ...le16(0x210),
      ...zeros(22),
      ...le32(0x10000),
      ...le32(maxRead),
      ...le32(maxWrite),
      ...zeros(24),
    ],
    { isAnswer: true },
  );
/** The share holds pipes, or files. */
export const connected = (isPipe: boolean): Uint8Array =>
  smb2(3, [...le16(16), isPipe ? 2 : 1, 0, ...zeros(12)], { isAnswer: true });
export const create = (name: string, id: number): Uint8Array =>
  smb2(5, [...le16(57), ...zeros(42), ...le16(120), ...le16(wide(name).length), ...zeros(8), ...wide(name)], { id });
export const created = (id: number): Uint8Array =>
  smb2(5, [...le16(89), ...zeros(62), ...FILE_ID, ...zeros(8)], { id, isAnswer: true });
export const write = (data: string | Uint8Array, place = 0, id = 4): Uint8Array =>
  smb2(
    9,
    [
      ...le16(49),
      ...le16(112),
      ...le32(data.length),
      ...le32(place),
      ...zeros(4),
      ...FILE_ID,
      ...zeros(16),
      ...raw(data),
    ],
    { id },
  );
export const read = (id: number, size = 4096): Uint8Array =>
  smb2(8, [...le16(49), 80, 0, ...le32(size), ...zeros(8), ...FILE_ID, ...zeros(17)], { id });
export const readAnswer = (id: number, data: string | Uint8Array): Uint8Array =>
  smb2(8, [...le16(17), 80, 0, ...le32(data.length), ...zeros(8), ...raw(data)], { id, isAnswer: true });
/** A call through a pipe, or its answer. */
export const transceive = (data: Uint8Array, id: number): Uint8Array =>
  smb2(11, [...le16(57), 0, 0, ...le32(PIPE_TRANSCEIVE), ...FILE_ID, ...le32(120), ...le32(data.length), ...zeros(24), ...data], { id }); // prettier-ignore
export const transceived = (data: Uint8Array, id: number): Uint8Array =>
  smb2(11, [...le16(49), 0, 0, ...le32(PIPE_TRANSCEIVE), ...FILE_ID, ...le32(112), ...le32(0), ...le32(112), ...le32(data.length), ...zeros(8), ...data], { id, isAnswer: true }); // prettier-ignore

/** A message of SMB1 with its words and data. */
export function smb1(command: number, words: readonly number[], data: string, { isAnswer = false } = {}): Uint8Array {
  const header = [0xff, 0x53, 0x4d, 0x42, command, ...le32(0), isAnswer ? 0x88 : 8, ...le16(1), ...zeros(12), ...le16(5), ...zeros(4), ...le16(7)]; // prettier-ignore
  return frame([...header, words.length / 2, ...words, ...le16(data.length), ...raw(data)]);
}
/** `TransactNmPipe` of SMB1, and its answer. */
export const transact = (data: Uint8Array): Uint8Array => {
  const at = [...le16(74), ...le16(data.length), ...le16(74)];
  const words = [...le16(0), ...le16(data.length), ...zeros(14), ...le16(0), ...at, 2, 0, ...le16(0x26), ...le16(9)];
  return smb1(0x25, words, `\\PIPE\\\0${Buffer.from(data).toString('latin1')}`);
};
export const transacted = (data: Uint8Array): Uint8Array => {
  const words = [...le16(0), ...le16(data.length), ...zeros(8), ...le16(data.length), ...le16(56), ...zeros(4)];
  words.splice(6, 6, ...le16(0), ...le16(56), ...le16(0));
  return smb1(0x25, words, `\0${Buffer.from(data).toString('latin1')}`, { isAnswer: true });
};

/** The service control manager's interface, and how it is sent (MS-SCMR 1.9). */
export const SVCCTL = '367abb81-9844-35f1-ad32-98f038001003';
const SVCCTL_BYTES = [0x81, 0xbb, 0x7a, 0x36, 0x44, 0x98, 0xf1, 0x35, 0xad, 0x32, 0x98, 0xf0, 0x38, 0, 0x10, 3];
const packet = (type: number, body: readonly number[], call: number): Uint8Array =>
  Uint8Array.from([5, 0, type, 3, 0x10, 0, 0, 0, ...le16(16 + body.length), 0, 0, ...le32(call), ...body]);
export const dcerpc = {
  bind: (): Uint8Array => packet(11, [...zeros(8), 1, 0, 0, 0, ...le16(0), 1, 0, ...SVCCTL_BYTES, ...le16(2), ...zeros(22)], 1), // prettier-ignore
  /** @param result 0: accepted. */
  bound: (result: number): Uint8Array => packet(12, [...zeros(8), ...le16(13), ...raw('\\pipe\\svcctl\0'), 0, 1, 0, 0, 0, ...le16(result), ...zeros(22)], 1), // prettier-ignore
  request: (operation: number, stub: string): Uint8Array => packet(0, [...le32(stub.length), ...le16(0), ...le16(operation), ...raw(stub)], 2), // prettier-ignore
  response: (stub: string): Uint8Array => packet(2, [...le32(stub.length), ...zeros(4), ...raw(stub)], 2),
};
