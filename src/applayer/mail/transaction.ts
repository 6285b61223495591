import type { BufferValue } from '../../domain/app-layer.js';
import type { Direction } from '../../domain/flow.js';
import { FieldTransaction } from '../transaction.js';
import { MimeReader, type MailLimits } from './mime.js';

const FIELD_BUFFERS: Readonly<Record<string, string>> = {
  'email.from': 'from',
  'email.to': 'to',
  'email.subject': 'subject',
  'email.cc': 'cc',
  'email.date': 'date',
  'email.message_id': 'message-id',
  'email.x_mailer': 'x-mailer',
};

/** One mail of an SMTP session, or what comes before the first. */
export class MailTransaction extends FieldTransaction {
  readonly mime: MimeReader;
  /** The client wanted to send it (DATA). */
  hasData = false;

  constructor(id: number, limits: MailLimits) {
    super('smtp', id);
    this.mime = new MimeReader(limits, (event) => {
      this.note(event);
    });
  }

  override buffer(name: string, direction: Direction): BufferValue | undefined {
    if (direction !== 0) return undefined;
    const several = (list: readonly Uint8Array[]): BufferValue | undefined =>
      list.length === 0 ? undefined : list.length === 1 ? list[0]! : list;
    const { files, fields, urls, received } = this.mime;
    switch (name) {
      case 'file.data':
        return several(files.map((f) => f.data.bytes).filter((d) => d.length > 0));
      case 'file.name':
        return several(files.map((f) => f.name).filter((d) => d.length > 0));
      case 'email.url':
        return several(urls);
      case 'email.received':
        return several(received);
    }
    const field = FIELD_BUFFERS[name];
    return field === undefined ? super.buffer(name, direction) : fields.get(field);
  }
}
