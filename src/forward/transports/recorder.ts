import type { Exchange } from './transport.js';

const MAX_RECORDED = 64 * 1024;

/** Keeps what was sent and answered for `siem test`; does nothing when off. */
export class Recorder {
  private sent = '';
  private answer = '';
  readonly isOn: boolean;

  constructor(on: boolean) {
    this.isOn = on;
  }

  recordSent(text: string): void {
    if (this.isOn && this.sent.length < MAX_RECORDED) this.sent += text;
  }

  recordAnswer(text: string): void {
    if (this.isOn && this.answer.length < MAX_RECORDED) this.answer += text;
  }

  exchange(): Exchange {
    return { sent: this.sent, answer: this.answer };
  }
}
