import type { CaptureStats, PacketBlock } from '../../domain/packet.js';
import { emptyCapture, notACapture, truncatedCapture } from '../errors.js';
import { MAX_RECORD_BYTES, type FormatReader, type OnBlock, type Window } from './format.js';
import { createPcapReader, parsePcapHeader, PCAP_HEADER_BYTES } from './pcap.js';
import { createPcapngReader, isPcapng } from './pcapng.js';

/** Room for one largest record beside a full read. */
const READ_BYTES = 1 << 20;
const BUFFER_BYTES = READ_BYTES + MAX_RECORD_BYTES + 4096;

/**
 * Turns a stream of bytes into blocks: bytes are written into one buffer, packets are handed over where they
 * lie, and only the incomplete record at the end is moved. Recognises pcap and pcapng.
 */
export class CaptureStream {
  readonly stats: CaptureStats = { packets: 0, bytes: 0, kernelDrops: 0, reopens: 0, dropsKnown: false };
  private readonly window: Window;
  private reader: FormatReader | undefined;
  /** Bytes of the buffer that hold data not consumed yet: `from .. to`. */
  private from = 0;
  private to = 0;
  private toSkip = 0;
  private readonly name: string;
  private readonly onBlock: OnBlock;

  constructor(name: string, onBlock: OnBlock) {
    this.name = name;
    const data = new Uint8Array(BUFFER_BYTES);
    this.window = { data, view: new DataView(data.buffer), streamOffset: 0 };
    this.onBlock = (block: PacketBlock) => {
      this.stats.packets += block.count;
      for (let i = 0; i < block.count; i++) this.stats.bytes += block.wireLen[i]!;
      onBlock(block);
    };
  }

  /** Position in the stream of the first byte of the blocks that are handed over now. */
  get streamOffset(): number {
    return this.window.streamOffset;
  }

  /** Where the next bytes belong; call {@link commit} with how many were written. Always at least 1 MiB. */
  get space(): Uint8Array {
    return this.window.data.subarray(this.to);
  }

  commit(bytes: number): void {
    this.to += bytes;
    const skipped = Math.min(this.toSkip, this.to - this.from);
    this.toSkip -= skipped;
    this.from += skipped;
    if (this.reader === undefined) this.recognise(PCAP_HEADER_BYTES);
    if (this.reader !== undefined && this.toSkip === 0) {
      const consumed = this.reader.read(this.window, this.from, this.to);
      this.toSkip = Math.max(0, this.from + consumed - this.to);
      this.from = Math.min(this.to, this.from + consumed);
    }
    this.moveRest();
  }

  /** Copies bytes in; for streams that bring their own buffers. */
  write(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + READ_BYTES);
      this.space.set(part);
      this.commit(part.length);
      at += part.length;
    }
  }

  /** @throws AppError when the input was no capture or broke off within a record. */
  end(): void {
    if (this.reader === undefined) {
      if (this.to === 0) throw emptyCapture(this.name);
      this.recognise(0);
    }
    if (this.to > this.from || this.toSkip > 0) {
      throw truncatedCapture(this.stats.packets, this.window.streamOffset + this.from);
    }
  }

  /** @param need bytes to wait for before the input is refused. */
  private recognise(need: number): void {
    const { view } = this.window;
    const have = this.to - this.from;
    if (have >= 12 && isPcapng(view, this.from)) {
      this.reader = createPcapngReader(this.onBlock);
      return;
    }
    if (have < need) return;
    const header = have >= PCAP_HEADER_BYTES ? parsePcapHeader(view, this.from) : undefined;
    if (header === undefined) throw notACapture(this.name, describe(this.window.data.subarray(this.from, this.to)));
    this.from += PCAP_HEADER_BYTES;
    this.reader = createPcapReader(header, this.onBlock);
  }

  private moveRest(): void {
    const rest = this.to - this.from;
    this.window.data.copyWithin(0, this.from, this.to);
    this.window.streamOffset += this.from;
    this.from = 0;
    this.to = rest;
  }
}

/** A hint about what the input seems to be instead. */
function describe(bytes: Uint8Array): string {
  const [a, b, c, d] = bytes;
  if (a === 0x1f && b === 0x8b) return 'it is compressed with gzip; decompress it first';
  if (a === 0x28 && b === 0xb5 && c === 0x2f && d === 0xfd) return 'it is compressed with zstd; decompress it first';
  if (a === 0xfd && b === 0x37 && c === 0x7a && d === 0x58) return 'it is compressed with xz; decompress it first';
  if (a === 0x50 && b === 0x4b) return 'it is a zip archive; unpack it first';
  if (bytes.length < PCAP_HEADER_BYTES) return 'it is shorter than a file header';
  if (bytes.subarray(0, 256).every((byte) => byte >= 0x20 || byte === 9 || byte === 10 || byte === 13))
    return 'it looks like text';
  return 'its first bytes are not those of a capture file';
}
