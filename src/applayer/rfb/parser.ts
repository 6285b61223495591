import type { AppParser } from '../../domain/app-layer.js';
import { copy } from '../http/bytes.js';
import { createMessageParser, type MessageReader, type Transactions } from '../messages.js';
import type { AppLayerOptions } from '../options.js';
import type { FieldTransaction } from '../transaction.js';

const VERSION_BYTES = 12;
const NONE = 1;
const VNC = 2;

/** What a side says next. */
type Step = 'version' | 'types' | 'choice' | 'challenge' | 'response' | 'result' | 'init' | 'over';

/** RFB, the protocol of VNC (RFC 6143 7.1 to 7.3): the handshake up to the name of the desktop. */
export function createRfbParser(options: AppLayerOptions): AppParser {
  return createMessageParser({ proto: 'rfb', options, transport: 'tcp', reader: (list) => new RfbReader(list) });
}

class RfbReader implements MessageReader {
  private readonly steps: [Step, Step] = ['version', 'version'];
  private readonly tx: FieldTransaction;
  private minor = 8;
  /** The server has said which kinds of security it has; before that, nothing is to be chosen. */
  private hasOffered = false;

  constructor(list: Transactions) {
    this.tx = list.open();
  }

  length(d: Uint8Array, direction: 0 | 1): number {
    switch (this.steps[direction]) {
      case 'version':
        return VERSION_BYTES;
      case 'types':
        // RFB 3.3: the server says which one, in four bytes; later: a list.
        return this.minor < 7 ? 4 : d[0] === 0 ? d.length : 1 + d[0]!;
      case 'choice':
        return 1;
      case 'challenge':
      case 'response':
        return 16;
      case 'result':
        return 4;
      case 'init':
        if (direction === 0) return 1;
        return d.length < 24 ? 0 : 24 + d[20]! * 16_777_216 + d[21]! * 65_536 + d[22]! * 256 + d[23]!;
      case 'over':
        return -1;
    }
  }

  message(d: Uint8Array, direction: 0 | 1): void {
    const step = this.steps[direction];
    if (step === 'version') this.version(d, direction);
    else if (direction === 0) this.fromClient(d, step);
    else this.fromServer(d, step);
  }

  private version(d: Uint8Array, direction: 0 | 1): void {
    const m = /^RFB (\d{3})\.(\d{3})\n$/.exec(Buffer.from(d).toString('latin1'));
    if (!m) {
      this.tx.note('malformed_message');
      this.stop();
      return;
    }
    if (direction === 0) this.minor = Number(m[2]);
    this.steps[direction] = direction === 0 ? (this.minor < 7 ? 'response' : 'choice') : 'types';
  }

  private fromClient(d: Uint8Array, step: Step): void {
    if (step === 'choice' && !this.hasOffered) {
      this.tx.note('confused_state');
      this.stop();
    } else if (step === 'choice') this.choose(d[0]!);
    else if (step === 'response') {
      this.steps[0] = 'init';
      this.steps[1] = 'result';
    } else this.steps[0] = 'over';
  }

  private choose(type: number): void {
    for (const numbers of this.tx.numbers) numbers.set('rfb.sectype', type);
    if (type === VNC) this.steps[1] = 'challenge';
    else if (type === NONE) this.steps[1] = this.minor >= 8 ? 'result' : 'init';
    else {
      this.tx.note('unimplemented_security_type');
      this.stop();
      return;
    }
    this.steps[0] = type === VNC ? 'response' : 'init';
  }

  private fromServer(d: Uint8Array, step: Step): void {
    if (step === 'types') {
      this.hasOffered = true;
      if (this.minor < 7) this.choose(d[3]!);
      else if (d[0] === 0) this.stop();
    } else if (step === 'challenge') this.steps[1] = 'result';
    else if (step === 'result') {
      const result = d[3]!;
      this.tx.numbers[1].set('rfb.secresult', result);
      if (result > 2) this.tx.note('unknown_security_result');
      this.steps[1] = result === 0 ? 'init' : 'over';
      if (result !== 0) this.stop();
    } else if (step === 'init') {
      this.tx.fields[1].set('rfb.name', copy(d.subarray(24)));
      this.stop();
    }
  }

  private stop(): void {
    this.steps[0] = this.steps[1] = 'over';
    this.tx.finish();
  }
}
