import type { IpAddress } from '../../util/ip.js';
import { messageErrno, NLM_F_REQUEST, NLMSG_ERROR, readMessages } from '../../util/netlink/message.js';
import { openNetlinkSocket, type NetlinkSocket } from '../../util/netlink/socket.js';

const NETLINK_SOCK_DIAG = 4;
const SOCK_DIAG_BY_FAMILY = 20;
const AF_INET = 2;
const AF_INET6 = 10;
const IPPROTO_TCP = 6;
const ENOENT = 2;
const HEADER_BYTES = 16;
/** struct inet_diag_req_v2 and struct inet_diag_msg (include/uapi/linux/inet_diag.h). */
const REQUEST_BYTES = 56;
const ID_AT = 8;
const STATE_AT = 1;
const WRITE_QUEUE_AT = 60;

/** Both ends of a TCP connection. */
export interface Ends {
  local: IpAddress;
  localPort: number;
  remote: IpAddress;
  remotePort: number;
}

let socket: NetlinkSocket | 'refused' | undefined;
let seq = 0;

/**
 * Asks the kernel about one connection (sock_diag(7)): a lookup in its hash table, where reading /proc/net/tcp walks all of
 * it.
 * @returns `gone` when there is no such connection, undefined when the kernel cannot be asked.
 */
export function askKernel(ends: Ends): { state: number; unacknowledged: number } | 'gone' | undefined {
  try {
    socket ??= openNetlinkSocket(NETLINK_SOCK_DIAG);
  } catch {
    socket = 'refused';
  }
  if (socket === 'refused') return undefined;
  seq = (seq % 0x7fffffff) + 1;
  if (socket.send(request(ends, seq)) !== 0) return undefined;
  for (let answer = socket.receive(); answer instanceof Buffer; answer = socket.receive()) {
    for (const message of readMessages(answer)) {
      if (message.seq !== seq) continue;
      if (message.type === NLMSG_ERROR) return messageErrno(message) === ENOENT ? 'gone' : undefined;
      if (message.type !== SOCK_DIAG_BY_FAMILY || message.payload.length < WRITE_QUEUE_AT + 4) continue;
      return { state: message.payload[STATE_AT]!, unacknowledged: message.payload.readUInt32LE(WRITE_QUEUE_AT) };
    }
  }
  return undefined;
}

function request({ local, localPort, remote, remotePort }: Ends, seq: number): Buffer {
  const data = Buffer.alloc(HEADER_BYTES + REQUEST_BYTES);
  data.writeUInt32LE(data.length, 0);
  data.writeUInt16LE(SOCK_DIAG_BY_FAMILY, 4);
  data.writeUInt16LE(NLM_F_REQUEST, 6);
  data.writeUInt32LE(seq, 8);
  const body = data.subarray(HEADER_BYTES);
  body[0] = local.version === 4 ? AF_INET : AF_INET6;
  body[1] = IPPROTO_TCP;
  body.writeUInt32LE(0xffffffff, 4);
  body.writeUInt16BE(localPort, ID_AT);
  body.writeUInt16BE(remotePort, ID_AT + 2);
  writeAddress(body, ID_AT + 4, local);
  writeAddress(body, ID_AT + 20, remote);
  // No cookie: whichever connection has these ends.
  body.fill(0xff, ID_AT + 40, ID_AT + 48);
  return data;
}

function writeAddress(body: Buffer, at: number, ip: IpAddress): void {
  if (ip.version === 4) body.writeUInt32BE(ip.words[3], at);
  else ip.words.forEach((word, i) => body.writeUInt32BE(word, at + 4 * i));
}
