import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { createAppLayer } from '../../../src/applayer/index.js';
import type { Direction } from '../../../src/domain/flow.js';
import { fc, fuzzLimits } from '../../support/fuzz.js';
import { bytes } from './talk.js';

const LIMITS = fuzzLimits(150);

/** How a conversation of each protocol begins: the fuzzer goes on from there. */
const SEEDS: Readonly<Record<string, readonly [Direction, string][]>> = {
  http: [[0, 'POST /a%2e?x=1 HTTP/1.1\r\nHost: h\r\nContent-Type: multipart/form-data; boundary=b\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc'], [1, 'HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n']],
  tls: [[0, '\x16\x03\x01\x00\x2d\x01\x00\x00\x29\x03\x03'], [1, '\x16\x03\x03\x00\x31\x02\x00\x00\x2d\x03\x03']],
  ssh: [[0, 'SSH-2.0-a\r\n'], [1, 'SSH-2.0-b\r\n']],
  dns: [[0, '\x00\x1d\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x03com\x00\x00\x01\x00\x01']],
  smtp: [[1, '220 mx ESMTP\r\n'], [0, 'EHLO a\r\nMAIL FROM:<a@b>\r\nDATA\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Disposition: attachment; filename=a\r\nContent-Transfer-Encoding: base64\r\n\r\n']],
  ftp: [[1, '220 FTP\r\n'], [0, 'USER a\r\nPASV\r\n'], [1, '331 x\r\n227 (1,2,3,4,5,6)\r\n']],
  smb1: [[0, '\x00\x00\x00\x40\xffSMB\x73\x00\x00\x00\x00\x08\x01\x80']],
  smb2: [[0, '\x00\x00\x00\x90\xfeSMB\x40\x00\x00\x00\x00\x00\x00\x00\x05\x00\x01\x00'], [1, '\x00\x00\x00\x90\xfeSMB\x40\x00\x00\x00\x00\x00\x00\x00\x05\x00\x01\x00\x01']],
  mqtt: [[0, '\x10\x10\x00\x04MQTT\x05\xc2\x00\x3c\x00\x00\x01a'], [1, '\x20\x02\x00\x00']],
  dcerpc: [[0, '\x05\x00\x0b\x03\x10\x00\x00\x00\x48\x00\x00\x00\x01\x00\x00\x00\x00\x10\x00\x10\x00\x00\x00\x00\x01\x00\x00\x00'], [0, '\x05\x00\x00\x03\x10\x00\x00\x00\x1c\x00\x00\x00\x02\x00\x00\x00\x04\x00\x00\x00\x00\x00\x0f\x00abcd']],
  modbus: [[0, '\x00\x01\x00\x00\x00\x06\x07\x03\x00\x64\x00\x02'], [1, '\x00\x01\x00\x00\x00\x03\x07\x83\x02']],
  rfb: [[1, 'RFB 003.008\n'], [0, 'RFB 003.008\n'], [1, '\x02\x01\x02']],
  krb5: [[0, '\x00\x00\x00\x08\x6a\x06\x30\x04\xa1\x02\x02\x05'], [1, '\x00\x00\x00\x10\x6b\x0e\x30\x0c\xa4\x0a\x30\x08\xa1\x06\x30\x04\x1b\x02ad']],
  nfs: [[0, '\x80\x00\x00\x20\x00\x00\x00\x07\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01\x86\xa3\x00\x00\x00\x03\x00\x00\x00\x06']],
  sip: [[0, 'INVITE sip:a@b SIP/2.0\r\nc: application/sdp\r\nContent-Length: 11\r\n\r\nv=0\r\nm=a\r\n'], [1, 'SIP/2.0 200 OK\r\n\r\n']],
  dnp3: [[0, '\x05\x64\x0b\xc4\x01\x00\x02\x00\x7d\xa4\xc0\xc1\x01\x3c\x02\x06\x75\x8b'], [1, '\x05\x64\x0a\x44\x01\x00\x02\x00']],
  enip: [[0, '\x6f\x00\x18\x00\x07\x00\x00\x00\x00\x00\x00\x00abcdefgh\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\xb2\x00\x08\x00\x0e\x03\x20\x01\x24\x01\x30\x07']],
  ldap: [[0, '\x30\x20\x02\x01\x02\x63\x1b\x04\x02dc\x0a\x01\x02\x0a\x01\x00\x02\x01\x00\x02\x01\x00\x01\x01\x00\x87\x01a\x30\x03\x04\x01b'], [1, '\x30\x11\x02\x01\x02\x64\x0c\x04\x01x\x30\x07\x30\x05\x04\x01y\x31\x00']],
  websocket: [[0, 'GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n'], [1, 'HTTP/1.1 101 x\r\nUpgrade: websocket\r\n\r\n\x41\x03\x4b\x4c\x4a'], [0, '\x01\x82abcdef\x80\xfe\x01\x00']],
  'smb2 pipe': [[0, '\x00\x00\x00\x90\xfeSMB\x40\x00\x00\x00\x00\x00\x00\x00\x0b\x00\x01\x00']],
  http2: [[0, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00'], [1, '\x00\x00\x00\x04\x00\x00\x00\x00\x00']],
}; // prettier-ignore

/** One sound datagram of each protocol that is taken apart. */
const DATAGRAMS: Readonly<Record<string, { port: number; begin: string }>> = {
  snmp: { port: 161, begin: '\x30\x1a\x02\x01\x01\x04\x06public\xa0\x0d\x02\x01\x01\x02\x01\x00\x02\x01\x00\x30\x02\x30\x00' },
  ike: { port: 500, begin: `12345678${'\0'.repeat(8)}\x21\x20\x22\x08\0\0\0\0\0\0\0\x48\x28\0\0\x24\0\0\0\x20\x01\x01\0\x03\x03\0\0\x08\x01\0\0\x0c\x03\0\0\x08\x02\0\0\x05\0\0\0\x08\x04\0\0\x02\0\0\0\x08abcd` },
  krb5: { port: 88, begin: '\x6b\x10\x30\x0e\xa3\x03\x1b\x01R\xa4\x07\x30\x05\xa1\x03\x30\x01\x1b' },
  dhcp: { port: 67, begin: `\x01\x01\x06\x00${'\0'.repeat(232)}\x63\x82\x53\x63\x35\x01\x01\x33\x04\x00\x00\x0e\x10\xff` },
  quic: { port: 443, begin: `\xc3\0\0\0\x01\x08abcdefgh\0\0\x40\x60${'x'.repeat(96)}` },
  'google quic': { port: 443, begin: '\xc3Q046\x50abcdefgh\0\0\0\x01CHLO\x02\0\0\0SNI\0\x03\0\0\0UAID\x05\0\0\0a.bxy' },
  mdns: { port: 5353, begin: '\0\0\x84\0\0\0\0\x01\0\0\0\0\x04_ipp\x05local\0\0\x0c\0\x01\0\0\0\x78\0\x02\xc0\x0c' },
  nfs: { port: 2049, begin: '\0\0\0\x07\0\0\0\0\0\0\0\x02\0\x01\x86\xa3\0\0\0\x03\0\0\0\x06' },
}; // prettier-ignore

/** Protocols that are looked for at their ports only. */
const PORTS: Readonly<Record<string, number>> = { mqtt: 1883, modbus: 502, krb5: 88, dnp3: 20_000, enip: 44_818 };

const piece = fc.record({
  direction: fc.constantFrom<Direction[]>(0, 1),
  kind: fc.constantFrom('data', 'data', 'data', 'data', 'gap', 'end'),
  data: fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.uint8Array({ maxLength: 40 }).map((d) => d.map((b) => b & 0x1f)),
    fc.constantFrom('\r\n', '\r\n\r\n', '.\r\n', '0\r\n\r\n', '--b\r\n', '--b--\r\n', '\x00\x00', 'AAAA', '354 x\r\n', '\xff\xff\xff\xff').map(bytes),
  ),
  count: fc.constantFrom(1, 1, 1, 7),
}); // prettier-ignore

const FIELDS = ['http.uri', 'http.header', 'http.request_body', 'http.response_body', 'file.data', 'file.name', 'tls.sni', 'tls.certs', 'tls.cert_subject', 'ja3.hash', 'ja4.hash', 'ja3s.hash', 'ssh.hassh', 'dns.query', 'dns.answers.rrname', 'mdns.response.rrname', 'smtp.rcpt_to', 'email.url', 'ftp.command', 'ftp.reply', 'smb.share', 'smb.named_pipe', 'mqtt.publish.message', 'http.request_header', 'http2.header_name', 'quic.version', 'quic.sni', 'quic.cyu.string', 'snmp.community', 'snmp.usm', 'krb5.cname', 'krb5.sname', 'sip.uri', 'sip.via', 'sdp.attribute', 'sdp.media.media', 'rfb.name', 'ike.vendor', 'ike.nonce_payload', 'ike.key_exchange_payload', 'dcerpc.stub_data', 'dnp3.data', 'websocket.payload', 'ldap.request.dn', 'ldap.request.attribute_type', 'ldap.responses.dn', 'ldap.responses.attribute_type'] as const; // prettier-ignore

/** What one flow may keep, whatever comes: transactions and the bytes of their fields. */
const MAX_TRANSACTIONS = 64;
const MAX_FIELD_BYTES = 1_200_000;

const figures = { runs: 0, worstMs: 0 };

/** With FUZZ_SECONDS: how many conversations were played, the longest time of one, and what the process takes. */
after(() => {
  if (process.env['FUZZ_SECONDS'] === undefined) return;
  const mib = Math.round(process.memoryUsage.rss() / 1_048_576);
  process.stdout.write(`${figures.runs} runs, the longest ${figures.worstMs.toFixed(1)} ms, ${mib} MiB\n`);
});

function run(...conversation: Parameters<typeof playOne>): void {
  const begin = performance.now();
  playOne(...conversation);
  figures.runs++;
  figures.worstMs = Math.max(figures.worstMs, performance.now() - begin);
}

function playOne(transport: 'tcp' | 'udp', port: number, said: readonly { direction: Direction; kind: string; data: Uint8Array; count: number }[], keep: boolean): void {
  const layer = createAppLayer({ maxTransactions: MAX_TRANSACTIONS });
  const flow = layer.createFlow(transport, { srcPort: 40000, dstPort: port });
  const at = [0, 0];
  for (const { direction, kind, data, count } of said) {
    for (let n = 0; n < count; n++) {
      if (kind === 'data') flow.onData(direction, data, 0, data.length, at[direction]!, 1);
      else if (kind === 'gap') flow.onGap(direction, data.length, at[direction]!, 1);
      else flow.onEnd(direction, 1);
      at[direction]! += data.length;
      for (const tx of flow.transactions) {
        let size = 0;
        for (const name of FIELDS) {
          for (const d of [0, 1] as const) {
            const value = tx.buffer(name, d);
            for (const v of value === undefined ? [] : value instanceof Uint8Array ? [value] : value) size += v.length;
          }
        }
        assert.ok(size < MAX_FIELD_BYTES, `${size} bytes are kept`);
        assert.ok(tx.events.length < 64);
      }
      assert.ok(flow.transactions.length <= 2 * MAX_TRANSACTIONS);
    }
    if (!keep) for (const tx of [...flow.transactions]) flow.release(tx);
  }
  // A parser that throws is caught by the flow and counted: that is a defect here.
  assert.equal(layer.stats()['applayer_flows_failed'], 0);
} // prettier-ignore

describe('whatever a flow carries, parsers neither throw nor grow', () => {
  for (const [name, seed] of Object.entries(SEEDS)) {
    test(`${name}, beginning as one`, () => {
      fc.assert(
        fc.property(fc.array(piece, { maxLength: 14 }), fc.integer({ min: 0, max: 80 }), fc.boolean(), (rest, cut, keep) => {
          const begin = seed.map(([direction, text], i) => {
            const data = bytes(text);
            return { direction, kind: 'data', data: i === seed.length - 1 ? data.subarray(0, Math.max(1, data.length - cut)) : data, count: 1 };
          });
          run('tcp', PORTS[name] ?? 8000, [...begin, ...rest], keep);
        }),
        LIMITS,
      ); // prettier-ignore
    });
    test(`${name}, with bytes of a sound beginning changed`, () => {
      const change = fc.tuple(fc.nat(400), fc.nat(255));
      fc.assert(
        fc.property(fc.array(change, { maxLength: 12 }), fc.array(piece, { maxLength: 6 }), (changes, rest) => {
          const begin = seed.map(([direction, text]) => {
            const data = Uint8Array.from(bytes(text));
            for (const [at, value] of changes) if (at < data.length) data[at] = value;
            return { direction, kind: 'data', data, count: 1 };
          });
          run('tcp', PORTS[name] ?? 8000, [...begin, ...rest], true);
        }),
        LIMITS,
      );
    });
  }
  for (const [name, { port, begin }] of Object.entries(DATAGRAMS)) {
    test(`datagrams of ${name} with bytes of a sound one changed`, () => {
      const change = fc.tuple(fc.nat(120), fc.nat(255));
      const datagram = fc.tuple(fc.constantFrom<Direction[]>(0, 1), fc.array(change, { maxLength: 6 }), fc.nat(60));
      fc.assert(
        fc.property(fc.array(datagram, { minLength: 1, maxLength: 6 }), (list) => {
          const said = list.map(([direction, changes, cut], i) => {
            const data = Uint8Array.from(bytes(begin));
            for (const [at, value] of i === 0 ? [] : changes) if (at < data.length) data[at] = value;
            return { direction, kind: 'data', data: i === 0 ? data : data.subarray(0, data.length - cut), count: 1 };
          });
          run('udp', port, said, true);
        }),
        LIMITS,
      );
    });
  }
  for (const port of [53, 69, 443, 500, 123, 161, 67, 5060]) {
    test(`datagrams to port ${port}`, () => {
      fc.assert(
        fc.property(fc.array(piece, { maxLength: 8 }), (said) => {
          run('udp', port, said.map((s) => ({ ...s, kind: 'data' })), true); // prettier-ignore
        }),
        LIMITS,
      );
    });
  }
});
