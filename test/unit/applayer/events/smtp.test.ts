import { describe } from 'node:test';
import type { Message } from '../bench.js';
import { testEvents, type EventCase } from './cases.js';

const BEGIN: Message[] = [[1, '220 mail ESMTP\r\n'], [0, 'EHLO a\r\n'], [1, '250 ok\r\n']]; // prettier-ignore
const ENVELOPE: Message[] = [...BEGIN, [0, 'MAIL FROM:<a@b>\r\n'], [1, '250 ok\r\n'], [0, 'RCPT TO:<c@d>\r\n'], [1, '250 ok\r\n']]; // prettier-ignore
const say = (name: string, said: readonly Message[], ...events: string[]): EventCase => ({ name, said, events });
const REFUSED: Message[] = [...ENVELOPE, [0, 'DATA\r\n'], [1, '554 no\r\n']];
const NEXT: Message[] = [[0, 'RSET\r\n'], [1, '250 ok\r\n'], [0, 'MAIL FROM:<a@b>\r\n'], [1, '250 ok\r\n'], [0, 'DATA\r\n'], [1, '354 go\r\n']]; // prettier-ignore
const then = (name: string, command: string, reply: string, ...events: string[]): EventCase =>
  say(name, [...BEGIN, [0, command], [1, reply]], ...events);
const mail = (name: string, text: string, ...events: string[]): EventCase =>
  say(name, [...ENVELOPE, [0, 'DATA\r\n'], [1, '354 go\r\n'], [0, `${text}\r\n.\r\n`], [1, '250 ok\r\n']], ...events);
const HEAD = 'From: a\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="B"\r\n\r\n';
const part = (fields: string, body: string): string =>
  `${HEAD}--B\r\n${fields}Content-Disposition: attachment; filename="a.txt"\r\n\r\n${body}\r\n--B--`;
const BASE64 = 'Content-Transfer-Encoding: base64\r\n';
const QUOTED = 'Content-Transfer-Encoding: quoted-printable\r\n';

describe('anomalies of SMTP', () => {
  testEvents([
    then('a session', 'QUIT\r\n', '221 bye\r\n'),
    say('a client that does not wait', [[0, 'EHLO a\r\n'], [1, '250 ok\r\n']], 'no_server_welcome_message'), // prettier-ignore
    then('a reply without a code', 'NOOP\r\n', 'xyz\r\n', 'invalid_reply'),
    then('a reply with an unknown code', 'NOOP\r\n', '999 ok\r\n', 'invalid_reply'),
    then('a reply that is too long', 'NOOP\r\n', `250 ${'a'.repeat(5000)}\r\n`, 'invalid_reply'),
    then('a second greeting', 'EHLO b\r\n', '250 ok\r\n', 'duplicate_fields'),
    say('a second sender', [...ENVELOPE, [0, 'MAIL FROM:<x@y>\r\n']], 'duplicate_fields'),
    say('a mail before it is asked for', [...ENVELOPE, [0, 'DATA\r\nhello\r\n.\r\n']], 'invalid_pipelined_sequence'),
    say('a pipeline', [...BEGIN, [0, 'MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n'], [1, '250 a\r\n250 b\r\n354 c\r\n']]), // prettier-ignore
    say('a mail that is not wanted', [...ENVELOPE, [0, 'DATA\r\n'], [1, '554 no\r\n']], 'data_command_rejected'),
    say('a mail that is not wanted, again', [...REFUSED, [0, 'DATA\r\n'], [1, '354 go\r\n']], 'data_command_rejected', 'unparsable_content'), // prettier-ignore
    say('a mail that is not wanted, and the next', [...REFUSED, ...NEXT], 'data_command_rejected'),
    say('a mail, and the next', [...ENVELOPE, [0, 'DATA\r\n'], [1, '354 go\r\n'], [0, 'a: b\r\n\r\n.\r\n'], [1, '250 ok\r\n'], ...NEXT]), // prettier-ignore
    say('DATA twice', [...ENVELOPE, [0, 'DATA\r\n'], [0, 'DATA\r\n']], 'unparsable_content'), // prettier-ignore
    say('a mail of that word', [...ENVELOPE, [0, 'DATA\r\n'], [1, '354 go\r\n'], [0, 'DATA\r\n.\r\n']]), // prettier-ignore
    then('encryption that is not wanted', 'STARTTLS\r\n', '501 no\r\n', 'tls_rejected'),
    say('a chunk', [...ENVELOPE, [0, 'BDAT 7 LAST\r\nhello\r\n']]),
    say('a chunk without a size', [...ENVELOPE, [0, 'BDAT x\r\nhello']], 'bdat_chunk_len_exceeded'),
    say('two chunks', [...ENVELOPE, [0, 'BDAT 7\r\nhello\r\n'], [1, '250 ok\r\n'], [0, 'BDAT 7 LAST\r\nworld\r\n']]), // prettier-ignore
    say('a chunk of nothing said', [...ENVELOPE, [0, 'BDAT\r\n'], [1, '501 no\r\n'], [0, 'QUIT\r\n']]), // prettier-ignore
    say('more than the chunk', [...ENVELOPE, [0, 'BDAT 5 LAST\r\nhello world\r\n']], 'bdat_chunk_len_exceeded'),
  ]);
});

describe('anomalies of mails', () => {
  testEvents([
    mail('a mail', 'From: a\r\nSubject: x\r\n\r\nhello'),
    mail('a long line', `From: a\r\n\r\n${'a'.repeat(999)}`, 'mime_long_line'),
    mail('a line as long as may be', `From: a\r\n\r\n${'a'.repeat(998)}`),
    mail('a long name of a field', `From: a\r\n${'N'.repeat(80)}: x\r\n\r\nhello`, 'mime_long_header_name'),
    mail('a long field', `X: ${'v'.repeat(2100)}\r\n\r\nhello`, 'mime_long_header_value', 'mime_long_line'),
    mail('a long folded field', `X: v\r\n${` ${'v'.repeat(900)}\r\n`.repeat(4)}\r\nhello`, 'mime_long_header_value'),
    mail(
      'a long boundary',
      `Content-Type: multipart/mixed; boundary="${'B'.repeat(300)}"\r\n\r\nx`,
      'mime_long_boundary',
      'mime_parse_failed',
    ),
    mail('base64', part(BASE64, 'aGVsbG8=')),
    mail('a long line of base64', part(BASE64, 'aGVs'.repeat(40)), 'mime_long_enc_line'),
    mail('quoted-printable that is none', part(QUOTED, 'ab=ZZ'), 'mime_invalid_qp'),
    mail('a long line of quoted-printable', part(QUOTED, 'a'.repeat(100)), 'mime_long_enc_line'),
    mail('a long file name', part('', 'x').replace('a.txt', 'f'.repeat(300)), 'mime_long_filename'),
    mail('parts that are not closed', `${HEAD}--B\r\n\r\nx`, 'mime_malformed_msg'),
    mail('parts that never begin', `${HEAD}nothing`),
  ]);
});
