import { Recorder } from './recorder.js';
import { DeliveryError, type Exchange, type Message, type Rejected, type Transport } from './transport.js';

/** One line an event on standard output, where journald or a container runtime takes it. Best effort. */
export class StdoutTransport implements Transport {
  readonly policy = { maxEvents: 1000, maxMs: 200, idleMs: 0 };
  readonly lingerMs = 0;
  readonly overheadBytes = 1;
  readonly guarantee = 'best-effort';
  readonly warning = '';
  private readonly recorder: Recorder;

  constructor(deps: { record: boolean }) {
    this.recorder = new Recorder(deps.record);
  }

  write(messages: readonly Message[]): Promise<void> {
    const text = messages.map((message) => `${message.body}\n`).join('');
    this.recorder.recordSent(text);
    return new Promise((resolve, reject) => {
      process.stdout.write(text, (error) => {
        if (error) reject(new DeliveryError('retry', error.message));
        else resolve();
      });
    });
  }

  confirm(): Promise<Rejected[]> {
    this.recorder.recordAnswer('written to standard output');
    return Promise.resolve([]);
  }

  reset(): void {
    return;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  exchange(): Exchange {
    return this.recorder.exchange();
  }
}
