import type { AppParser, AppTransaction } from '../../domain/app-layer.js';
import type { Direction } from '../../domain/flow.js';
import { copy, latin1, LF } from '../http/bytes.js';
import { LineReader } from '../line-reader.js';
import type { AppLayerOptions } from '../options.js';
import { TransactionList } from '../transaction.js';
import { MailTransaction } from './transaction.js';

const MAX_LINE = 4096;
const MAX_WAITING = 256;
/** Codes of replies that Suricata knows (RFC 5321 4.2.3, RFC 4954 6). */
const REPLIES = new Set([
  211, 214, 220, 221, 235, 250, 251, 252, 334, 354, 421, 450, 451, 452, 455, 500, 501, 502, 503, 504, 550, 551, 552,
  553, 554, 555,
]);

/** SMTP with its extensions (RFC 5321, 3030, 3207): the mails that a session carries. */
export function createSmtpParser(options: AppLayerOptions): AppParser {
  return new SmtpParser(options);
}

class SmtpParser implements AppParser {
  readonly proto = 'smtp';
  /** After STARTTLS something else is spoken. */
  hasEnded = false;
  readonly expects = 'tls';
  private readonly list: TransactionList<MailTransaction>;
  private readonly options: AppLayerOptions;
  private readonly requests = new LineReader(MAX_LINE);
  private readonly replies = new LineReader(MAX_LINE);
  private mail: MailTransaction | undefined;
  private helo: Uint8Array | undefined;
  private inData = false;
  /** Bytes of a BDAT chunk still to come. */
  private chunk = 0;
  private chunkLines = new LineReader(MAX_LINE);
  private isLastChunk = false;
  /** Commands without a reply yet. */
  private readonly waiting: string[] = [];
  private greeted = false;
  /** A chunk of BDAT ended within a line, or has no length: what comes next is too much of it. */
  private isChunkOpen = false;

  constructor(options: AppLayerOptions) {
    this.options = options;
    this.list = new TransactionList(options.maxTransactions);
  }

  get transactions(): readonly MailTransaction[] {
    return this.list.all;
  }

  release(transaction: AppTransaction): void {
    this.list.release(transaction);
  }

  onData(direction: Direction, data: Uint8Array, offset: number, length: number): void {
    const fresh = data.subarray(offset, offset + length);
    if (direction === 1) {
      this.replies.feed(fresh, {
        line: (line, isCut) => this.reply(latin1(line), isCut),
        hasEnded: () => this.hasEnded,
      });
      return;
    }
    this.requests.feed(fresh, {
      line: (line) => this.request(line),
      raw: (d) => this.takeChunk(d),
      hasEnded: () => this.hasEnded,
    });
  }

  onGap(direction: Direction): void {
    (direction === 0 ? this.requests : this.replies).gap();
    if (direction === 0) this.chunk = 0;
  }

  onEnd(direction: Direction): void {
    if (direction === 0 && this.inData) this.closeMail();
    for (const mail of this.list.all) mail.finish(direction);
  }

  private current(): MailTransaction {
    this.mail ??= this.list.open((id) => {
      const limits = { fileBytes: this.options.mailFileKiB * 1024, files: 64, fields: 1024, urls: 256 };
      const made = new MailTransaction(id, limits);
      if (this.helo !== undefined) made.fields[0].set('smtp.helo', this.helo);
      return made;
    });
    return this.mail;
  }

  private closeMail(): void {
    this.inData = false;
    this.mail?.mime.end();
    this.mail?.finish();
    this.mail = undefined;
  }

  private request(line: Uint8Array): void {
    if (this.inData && !this.isCommandAgain(line)) {
      // Suricata takes lines for commands until the server wants data.
      if (this.waiting.includes('DATA')) this.current().note('invalid_pipelined_sequence');
      if (line.length === 1 && line[0] === 46) {
        this.waiting.push('.');
        this.closeMail();
      } else this.current().mime.line(line);
      return;
    }
    if (!this.greeted && this.waiting.length === 0) this.current().note('no_server_welcome_message');
    const text = latin1(line.subarray(0, 512));
    const verb = /^[A-Za-z]+/.exec(text)?.[0].toUpperCase() ?? '';
    this.waiting.push(verb);
    if (this.waiting.length > MAX_WAITING) this.waiting.shift();
    this.command(verb, text, line);
  }

  /** `DATA` a second time, before the server has answered the first: no mail begins so. */
  private isCommandAgain(line: Uint8Array): boolean {
    return line.length === 4 && this.waiting.includes('DATA') && /^data$/i.test(latin1(line));
  }

  private command(verb: string, text: string, line: Uint8Array): void {
    switch (verb) {
      case 'HELO':
      case 'EHLO':
        if (this.mail?.fields[0].has('smtp.helo') === true) {
          this.mail.note('duplicate_fields');
          return;
        }
        this.helo = copy(line.subarray(5));
        this.current().fields[0].set('smtp.helo', this.helo);
        return;
      case 'MAIL': {
        if (this.mail?.fields[0].has('smtp.mail_from') === true) {
          this.mail.note('duplicate_fields');
          return;
        }
        const from = address(text);
        if (from !== undefined) this.current().fields[0].set('smtp.mail_from', from);
        return;
      }
      case 'RCPT': {
        const to = address(text);
        if (to !== undefined) this.current().add(0, 'smtp.rcpt_to', to);
        return;
      }
      case 'DATA':
        // The last one was refused, and no other mail was begun.
        if (this.current().hasData) this.current().note('unparsable_content');
        this.current().hasData = true;
        this.inData = true;
        return;
      case 'BDAT': {
        const m = /^BDAT\s+(\d{1,9})(\s+LAST)?/i.exec(text);
        this.chunk = Number(m?.[1] ?? 0);
        this.isChunkOpen = this.chunk === 0 && text.trim().length > 4;
        this.isLastChunk = m?.[2] !== undefined;
        if (this.chunk === 0 && this.isLastChunk) this.closeMail();
        return;
      }
      case 'RSET':
        if (this.mail?.fields[0].has('smtp.mail_from')) this.closeMail();
        return;
      case 'QUIT':
        this.mail?.finish();
        this.mail = undefined;
    }
  }

  private takeChunk(data: Uint8Array): number {
    if (this.chunk === 0) {
      if (this.isChunkOpen && data.length > 0) this.current().note('bdat_chunk_len_exceeded');
      this.isChunkOpen = false;
      return 0;
    }
    const taken = Math.min(this.chunk, data.length);
    this.chunk -= taken;
    this.isChunkOpen = this.chunk === 0 && data[taken - 1] !== LF;
    const mail = this.current();
    this.chunkLines.feed(data.subarray(0, taken), { line: (line) => mail.mime.line(line) });
    if (this.chunk === 0 && this.isLastChunk) {
      this.chunkLines = new LineReader(MAX_LINE);
      this.closeMail();
    }
    return taken;
  }

  private reply(line: string, isCut: boolean): void {
    const m = /^(\d{3})([ -]|$)/.exec(line);
    if (isCut || !m || !REPLIES.has(Number(m[1]))) this.current().note('invalid_reply');
    if (!m) return;
    if (m[2] === '-') return;
    const code = Number(m[1]);
    if (!this.greeted && this.waiting.length === 0) {
      this.greeted = true;
      return;
    }
    const verb = this.waiting.shift();
    if (verb === 'STARTTLS') {
      if (code === 220) {
        this.hasEnded = true;
        for (const mail of this.list.all) mail.finish();
        this.mail = undefined;
      } else if (REPLIES.has(code)) this.current().note('tls_rejected');
    } else if (verb === 'DATA' && code !== 354) {
      this.inData = false;
      this.mail?.note('data_command_rejected');
    }
  }
}

/** Between `<` and `>`, else what follows the colon. */
function address(text: string): Uint8Array | undefined {
  const m = /:\s*(?:<([^>]*)>?|(\S+))/.exec(text);
  const found = m?.[1] ?? m?.[2];
  return found === undefined || found === '' ? undefined : Buffer.from(found, 'latin1');
}
