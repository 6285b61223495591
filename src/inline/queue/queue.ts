import {
  messageErrno,
  MessageWriter,
  NLM_F_ACK,
  NLM_F_REQUEST,
  NLMSG_ERROR,
  readMessages,
} from '../../util/netlink/message.js';
import {
  CFG,
  CFG_CMD_BIND,
  CFG_F_FAIL_OPEN,
  CFG_F_GSO,
  COPY_PACKET,
  NF_ACCEPT,
  NFQNL,
  QueuedPacket,
  readPacket,
  VerdictWriter,
} from './messages.js';
import { openQueueSocket, queueFailed, type QueueSocket } from './socket.js';

export interface QueueOptions {
  number: number;
  /** Packets that may wait in the kernel. */
  maxPackets: number;
  /** First bytes of each packet that are handed over. */
  copyBytes: number;
  /** Segments that the kernel has merged come as one packet. */
  gso: boolean;
  /** The kernel accepts what does not fit into the queue. */
  failOpen: boolean;
  socketBufferBytes: number;
  netns?: string | undefined;
}

const BATCH = 64;
const AF_INET = 2;
/** Stands for an answer that did not come. */
const ENODATA = 61;

/**
 * One NFQUEUE of the kernel. Packets wait in the kernel until their verdict; verdicts are collected and sent together.
 * Closing it, also by the death of the process, drops what waits.
 */
export class PacketQueue {
  readonly fd: number;
  /** Packets that are waiting for a verdict after the turn in which they were read. */
  held = 0;
  packets = 0;
  /** Verdicts that the kernel did not take: the packet was gone. */
  verdictErrors = 0;
  malformed = 0;
  private readonly socket: QueueSocket;
  private readonly verdicts: VerdictWriter;
  private readonly packet = new QueuedPacket();
  /** While every packet of this turn was accepted as it is, one message does for all. */
  private acceptedUpTo = -1;

  /** @throws AppError inline.queue_failed */
  constructor(options: QueueOptions) {
    const { copyBytes, socketBufferBytes: bufferBytes, netns } = options;
    this.socket = openQueueSocket({ copyBytes, batch: BATCH, bufferBytes, netns });
    this.fd = this.socket.fd;
    this.verdicts = new VerdictWriter(options.number);
    try {
      this.configure(options);
    } catch (error) {
      this.socket.close();
      throw error;
    }
  }

  /**
   * Reads what waits, at most one batch, then sends the verdicts given meanwhile.
   * @param onPacket gets an object and bytes that are overwritten when it returns.
   * @returns how many packets were read; when it is the size of the batch there may be more.
   */
  drain(onPacket: (packet: QueuedPacket) => void): number {
    const { socket, packet } = this;
    const n = socket.receive();
    for (let i = 0; i < n; i++) {
      const start = i * socket.slotBytes;
      const result = readPacket(socket.buffer, start, start + socket.lengthOf(i), packet);
      if (result === 0) {
        this.packets++;
        onPacket(packet);
      } else if (result > 0) this.verdictErrors++;
      else this.malformed++;
    }
    this.flush();
    return n;
  }

  static readonly batch = BATCH;

  /** @param mark new mark of the packet, or -1 to leave it. */
  verdict(id: number, verdict: number, mark: number): void {
    if (verdict === NF_ACCEPT && mark < 0 && this.held === 0 && this.verdicts.isEmpty) {
      this.acceptedUpTo = id;
      return;
    }
    this.settleRun();
    this.verdicts.write(id, verdict, mark);
  }

  /** Before a packet is kept without a verdict: those accepted so far must not include it. */
  hold(): void {
    this.settleRun();
    this.held++;
  }

  flush(): void {
    this.settleRun();
    if (this.verdicts.isEmpty) return;
    const errno = this.socket.send(this.verdicts.bytes, this.verdicts.length);
    if (errno !== 0) this.verdictErrors++;
    this.verdicts.reset();
  }

  close(): void {
    this.socket.close();
  }

  private settleRun(): void {
    if (this.acceptedUpTo < 0) return;
    this.verdicts.write(this.acceptedUpTo, NF_ACCEPT, -1, true);
    this.acceptedUpTo = -1;
  }

  private configure(options: QueueOptions): void {
    const w = new MessageWriter();
    const u32 = (value: number): Buffer => {
      const b = Buffer.alloc(4);
      b.writeUInt32BE(value >>> 0);
      return b;
    };
    const begin = (seq: number): void => {
      w.begin({
        type: NFQNL.CONFIG,
        flags: NLM_F_REQUEST | NLM_F_ACK,
        seq,
        family: 0,
        resourceId: options.number,
      });
    };
    begin(1);
    w.binary(CFG.CMD, Buffer.from([CFG_CMD_BIND, 0, 0, AF_INET]));
    w.end();
    begin(2);
    const params = Buffer.alloc(5);
    params.writeUInt32BE(options.copyBytes, 0);
    params[4] = COPY_PACKET;
    w.binary(CFG.PARAMS, params);
    w.binary(CFG.QUEUE_MAXLEN, u32(options.maxPackets));
    const flags = (options.failOpen ? CFG_F_FAIL_OPEN : 0) | (options.gso ? CFG_F_GSO : 0);
    w.binary(CFG.FLAGS, u32(flags));
    w.binary(CFG.MASK, u32(CFG_F_FAIL_OPEN | CFG_F_GSO));
    w.end();
    const errno = this.socket.send(w.bytes(), w.length) || this.readAnswers();
    if (errno !== 0) throw queueFailed(`configuration of queue ${options.number}`, errno);
  }

  /** The kernel has answered when send returns. Rules may be there already: packets in between are let go. */
  private readAnswers(): number {
    const { socket } = this;
    const n = socket.receive();
    if (n === 0) return ENODATA;
    for (let i = 0; i < n; i++) {
      const start = i * socket.slotBytes;
      const end = start + socket.lengthOf(i);
      for (const message of readMessages(socket.buffer.subarray(start, end)))
        if (message.type === NLMSG_ERROR && messageErrno(message) !== 0) return messageErrno(message);
      if (readPacket(socket.buffer, start, end, this.packet) === 0) this.verdicts.write(this.packet.id, NF_ACCEPT, -1);
    }
    this.flush();
    return 0;
  }
}
