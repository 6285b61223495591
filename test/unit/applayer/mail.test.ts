import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fieldOf, openFlow, play, type Said } from './talk.js';

const ATTACHMENT = 'MZ this program cannot be run in DOS mode'.repeat(5);
const base64 = Buffer.from(ATTACHMENT)
  .toString('base64')
  .replace(/(.{20})/g, '$1\r\n');
const MAIL = [
  'From: "A" <a@example.org>',
  'To: b@example.net',
  'Subject: hello',
  ' again',
  'X-Mailer: sample',
  'Received: from one',
  'Received: from two',
  'MIME-Version: 1.0',
  'Content-Type: multipart/mixed; boundary="=_x"',
  '',
  'preamble',
  '--=_x',
  'Content-Type: text/html',
  'Content-Transfer-Encoding: quoted-printable',
  '',
  '<a href=3D"http://192.0.2.9/down=6coad">x</a> soft=',
  ' break',
  '--=_x',
  'Content-Type: application/octet-stream; name="in type.exe"',
  'Content-Disposition: attachment;',
  ' filename="in.exe"',
  'Content-Transfer-Encoding: base64',
  '',
  base64,
  '--=_x--',
  '..a line that begins with a dot',
  '.',
  '',
].join('\r\n');

const session = (mail = MAIL): Said[] => [
  ['S', '220 mx.example.net ESMTP\r\n'],
  ['C', 'EHLO client.example.org\r\n'],
  ['S', '250-mx.example.net\r\n250 PIPELINING\r\n'],
  ['C', 'MAIL FROM:<a@example.org> SIZE=1\r\nRCPT TO:<b@example.net>\r\nRCPT TO: c@example.net\r\nDATA\r\n'],
  ['S', '250 ok\r\n250 ok\r\n250 ok\r\n354 go ahead\r\n'],
  ['C', mail],
  ['S', '250 queued\r\n'],
  ['C', 'QUIT\r\n'],
  ['S', '221 bye\r\n'],
];

for (const size of [Infinity, 7, 1]) {
  test(`a mail is read in pieces of ${size} bytes`, () => {
    const flow = play(openFlow(), session(), size);
    assert.equal(flow.proto, 'smtp');
    const field = (name: string): string[] => fieldOf(flow.transactions, name, 0);
    assert.deepEqual(field('smtp.helo'), ['client.example.org']);
    assert.deepEqual(field('smtp.mail_from'), ['a@example.org']);
    assert.deepEqual(field('smtp.rcpt_to'), ['b@example.net', 'c@example.net']);
    assert.deepEqual(field('email.subject'), ['hello again']);
    assert.deepEqual(field('email.from'), ['"A" <a@example.org>']);
    assert.deepEqual(field('email.received'), ['from one', 'from two']);
    assert.deepEqual(field('email.url'), ['192.0.2.9/download']);
    assert.deepEqual(field('file.name'), ['in.exe']);
    assert.deepEqual(field('file.data'), [ATTACHMENT]);
    assert.deepEqual(flow.transactions[0]!.events, []);
  });
}

test('two mails of one session are two transactions', () => {
  const first = session();
  const flow = play(openFlow(), [...first.slice(0, -2), ...first.slice(3)]);
  assert.deepEqual(fieldOf(flow.transactions, 'smtp.mail_from', 0), ['a@example.org', 'a@example.org']);
  assert.deepEqual(fieldOf(flow.transactions, 'smtp.helo', 0), ['client.example.org', 'client.example.org']);
});

test('a mail in chunks is read, too', () => {
  const body = MAIL.replace(/\r\n\.\r\n$/, '\r\n');
  const half = body.length >> 1;
  const flow = play(openFlow(), [
    ['C', 'EHLO x\r\n'],
    ['S', '250 CHUNKING\r\n'],
    ['C', `MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT ${half}\r\n${body.slice(0, half)}`],
    ['C', `BDAT ${body.length - half} LAST\r\n${body.slice(half)}QUIT\r\n`],
  ]);
  assert.deepEqual(fieldOf(flow.transactions, 'file.data', 0), [ATTACHMENT]);
});

test('after STARTTLS the flow is TLS', () => {
  const hello = Buffer.from('16030100340100003003030000000000000000000000000000000000000000000000000000000000000000000004c02fc0300100000300170000', 'hex'); // prettier-ignore
  const flow = play(
    openFlow(),
    [
      ['S', '220 mx ESMTP\r\n'],
      ['C', 'EHLO x\r\n'],
      ['S', '250 STARTTLS\r\n'],
      ['C', 'STARTTLS\r\n'],
      ['S', '220 go ahead\r\n'],
      ['C', hello],
    ],
    Infinity,
    false,
  );
  assert.equal(flow.proto, 'tls');
  assert.equal(fieldOf(flow.transactions, 'ja3.hash', 0).length, 1);
  const refused = play(openFlow(), [
    ['C', 'EHLO x\r\n'],
    ['S', '250 x\r\n'],
    ['C', 'STARTTLS\r\n'],
    ['S', '454 not now\r\n'],
  ]);
  assert.equal(refused.proto, 'smtp');
});

for (const [name, mail, event] of [
  ['quoted-printable that is none', MAIL.replace('=3D', '=zz'), 'mime_invalid_qp'],
] as const) {
  test(`${name} is told`, () => {
    const flow = play(openFlow(), session(mail));
    assert.ok(flow.transactions.some((tx) => tx.events.includes(event)));
  });
}
