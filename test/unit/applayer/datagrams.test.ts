import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FieldTransaction } from '../../../src/applayer/transaction.js';
import { fieldOf } from './talk.js';
import { be16, be32, ber, exchange, join, text } from './wire.js';

describe('SNMP', () => {
  const v2 = (community: string, pdu: number): Uint8Array =>
    ber(0x30, ber(2, 1), ber(4, community), ber(pdu, ber(2, 1), ber(2, 0), ber(2, 0), ber(0x30)));

  test('community and type of the PDU are read', () => {
    const flow = exchange(161, [['C', v2('public', 0xa0)], ['S', v2('public', 0xa2)]]); // prettier-ignore
    assert.equal(flow.proto, 'snmp');
    const [question, answer] = flow.transactions;
    assert.equal(text(question, 'snmp.community', 0), 'public');
    assert.equal(question!.number('snmp.version', 0), 2);
    assert.equal(question!.number('snmp.pdu_type', 0), 0);
    assert.equal(answer!.number('snmp.pdu_type', 1), 2);
    assert.deepEqual(question!.events, []);
  });

  test('the user of version 3 is read, and another security model told', () => {
    const v3 = (model: number): Uint8Array =>
      ber(0x30, ber(2, 3), ber(0x30, ber(2, 1), ber(2, 100), ber(4, 4), ber(2, model)), ber(4, ber(0x30, ber(4, 'engine'), ber(2, 0), ber(2, 0), ber(4, 'operator'), ber(4), ber(4))), ber(4, 'hidden')); // prettier-ignore
    const flow = exchange(161, [['C', v3(3)], ['C', v3(9)]]); // prettier-ignore
    assert.equal(text(flow.transactions[0], 'snmp.usm', 0), 'operator');
    assert.deepEqual(flow.transactions[1]!.events, ['unknown_security_model']);
  });

  test('another version in the same flow is told', () => {
    const v1 = ber(0x30, ber(2, 0), ber(4, 'public'), ber(0xa0));
    const flow = exchange(161, [['C', v2('public', 0xa0)], ['C', v1]]); // prettier-ignore
    assert.deepEqual(flow.transactions[1]!.events, ['version_mismatch']);
  });
});

describe('Kerberos', () => {
  const name = (...parts: string[]): Uint8Array =>
    ber(0x30, ber(0xa0, ber(2, 1)), ber(0xa1, ber(0x30, ...parts.map((p) => ber(0x1b, p)))));
  const encrypted = (type: number): Uint8Array => ber(0x30, ber(0xa0, ber(2, type)), ber(0xa2, ber(4, 'secret')));
  const ticket = (type: number): Uint8Array =>
    ber(0x61, ber(0x30, ber(0xa0, ber(2, 5)), ber(0xa1, ber(0x1b, 'REALM')), ber(0xa2, name('krbtgt', 'REALM')), ber(0xa3, encrypted(type)))); // prettier-ignore
  const reply = (type: number): Uint8Array =>
    ber(0x6b, ber(0x30, ber(0xa0, ber(2, 5)), ber(0xa1, ber(2, 11)), ber(0xa3, ber(0x1b, 'REALM')), ber(0xa4, name('ada')), ber(0xa5, ticket(type)), ber(0xa6, encrypted(type)))); // prettier-ignore
  const request = ber(0x6a, ber(0x30, ber(0xa1, ber(2, 5)), ber(0xa2, ber(2, 10))));

  test('names, encryption and weakness of an answer are read', () => {
    const flow = exchange(88, [['C', request], ['S', reply(23)]]); // prettier-ignore
    assert.equal(flow.proto, 'krb5');
    const [asked, answered] = flow.transactions;
    assert.equal(asked!.number('krb5.msg_type', 0), 10);
    assert.equal(answered!.number('krb5.msg_type', 1), 11);
    assert.deepEqual(text(answered, 'krb5.cname', 1), ['ada']);
    assert.deepEqual(text(answered, 'krb5.sname', 1), ['krbtgt', 'REALM']);
    assert.equal(answered!.number('krb5.ticket_encryption', 1), 23);
    assert.deepEqual(answered!.events, ['weak_encryption']);
  });

  test('a request for a ticket of a service is a transaction, too', () => {
    const flow = exchange(88, [['C', ber(0x6c, ber(0x30, ber(0xa1, ber(2, 5)), ber(0xa2, ber(2, 12))))]]); // prettier-ignore
    assert.deepEqual(flow.transactions.map((tx) => tx.number('krb5.msg_type', 0)), [12]); // prettier-ignore
  });

  test('AES is not weak', () => {
    const flow = exchange(88, [['C', request], ['S', reply(18)]]); // prettier-ignore
    assert.equal(flow.transactions[1]!.number('krb5.ticket_weak', 1), 0);
    assert.deepEqual(flow.transactions[1]!.events, []);
  });

  test('the code of an error is read', () => {
    const error = ber(0x7e, ber(0x30, ber(0xa0, ber(2, 5)), ber(0xa1, ber(2, 30)), ber(0xa6, ber(2, 25)), ber(0xaa, name('krbtgt')))); // prettier-ignore
    const flow = exchange(88, [['C', request], ['S', error]]); // prettier-ignore
    assert.equal(flow.transactions[1]!.number('krb5.err_code', 1), 25);
  });
});

test('the first lines of SIP are read', () => {
  const flow = exchange(5060, [
    ['C', join('INVITE sip:bob@example.org SIP/2.0\r\nVia: x\r\n\r\n')],
    ['S', join('SIP/2.0 486 Busy Here\r\nVia: x\r\n\r\n')],
  ]);
  const [invite, busy] = flow.transactions;
  assert.equal(text(invite, 'sip.method', 0), 'INVITE');
  assert.equal(text(invite, 'sip.uri', 0), 'sip:bob@example.org');
  assert.equal(text(busy, 'sip.stat_code', 1), '486');
  assert.equal(text(busy, 'sip.stat_msg', 1), 'Busy Here');
  assert.equal(text(busy, 'sip.response_line', 1), 'SIP/2.0 486 Busy Here');
});

describe('SIP', () => {
  const SDP = [
    'v=0', 'o=ada 1 2 IN IP4 192.0.2.1', 's=call', 'c=IN IP4 192.0.2.1', 'b=AS:64', 't=0 0', 'r=7d 1h 0 25h', 'k=prompt', 'a=sendrecv',
    'm=audio 30000 RTP/AVP 0', 'i=voice', 'c=IN IP4 192.0.2.9', 'a=inactive', 'm=video 30002 RTP/AVP 31', 'k=clear:x', '',
  ].join('\r\n'); // prettier-ignore
  const message = (head: string, body = ''): Uint8Array => join(`OPTIONS sip:b@example.org SIP/2.0\r\n${head}\r\n\r\n${body}`); // prettier-ignore
  const valuesOf = (d: Uint8Array, name: string): string[] => fieldOf(exchange(5060, [['C', d]]).transactions, name, 0);

  test('headers are read by their long and short names, folded or not', () => {
    const d = message('v: SIP/2.0/UDP a\r\nVIA : SIP/2.0/UDP b\r\nf: <sip:a@x>\r\nTo: <sip:b@x>;\r\n tag=1\r\nUser-Agent: ua/1\r\nl: 0\r\nFromage: y'); // prettier-ignore
    assert.deepEqual(valuesOf(d, 'sip.via'), ['SIP/2.0/UDP a', 'SIP/2.0/UDP b']);
    assert.deepEqual(valuesOf(d, 'sip.from'), ['<sip:a@x>']);
    assert.deepEqual(valuesOf(d, 'sip.to'), ['<sip:b@x>; tag=1']);
    assert.deepEqual(valuesOf(d, 'sip.user_agent'), ['ua/1']);
    assert.deepEqual(valuesOf(d, 'sip.content_length'), ['0']);
    assert.deepEqual(valuesOf(d, 'sip.content_type'), []);
    const [odd] = exchange(5060, [['C', message('constructor: x')]]).transactions;
    assert.ok(odd instanceof FieldTransaction);
    assert.deepEqual([...odd.fields[0].keys()], ['sip.method', 'sip.uri', 'sip.protocol', 'sip.request_line']);
  });

  for (const [name, wanted] of [
    ['sdp.origin', ['ada 1 2 IN IP4 192.0.2.1']],
    ['sdp.session_name', ['call']],
    ['sdp.session_info', []],
    ['sdp.connection_data', ['IN IP4 192.0.2.1']],
    ['sdp.bandwidth', ['AS:64']],
    ['sdp.time', ['0 0']],
    ['sdp.repeat_time', ['7d 1h 0 25h']],
    ['sdp.encryption_key', ['prompt']],
    ['sdp.attribute', ['sendrecv']],
    ['sdp.media.media', ['audio 30000 RTP/AVP 0', 'video 30002 RTP/AVP 31']],
    ['sdp.media.media_info', ['voice']],
    ['sdp.media.connection_data', ['IN IP4 192.0.2.9']],
    ['sdp.media.encryption_key', ['clear:x']],
  ] as const) {
    test(`${name} is read from a description of a session only`, () => {
      assert.deepEqual(valuesOf(message('c: application/sdp', SDP), name), wanted);
      assert.deepEqual(valuesOf(message('c: application/sdp', SDP.slice(5)), name), []);
      assert.deepEqual(valuesOf(message('c: text/plain', SDP), name), []);
    });
  }
});

describe('DHCP', () => {
  const message = (...options: number[]): Uint8Array => join(1, 1, 6, 0, new Uint8Array(232), 0x63, 0x82, 0x53, 0x63, options); // prettier-ignore

  test('times of a lease are read', () => {
    const [offer] = exchange(67, [
      ['C', message(53, 1, 2, 51, 4, ...be32(3600), 0, 58, 4, ...be32(1800), 255)],
    ]).transactions;
    assert.equal(offer!.number('dhcp.leasetime', 0), 3600);
    assert.equal(offer!.number('dhcp.renewal_time', 0), 1800);
    assert.deepEqual(offer!.events, []);
  });

  for (const [name, options, event] of [
    ['an option that ends behind the packet', [53, 9, 1], 'truncated_options'],
    ['options without an end', [53, 1, 1], 'truncated_options'],
    ['a time of two bytes', [51, 2, 0, 1, 255], 'malformed_options'],
  ] as const) {
    test(`${name} is told`, () => {
      assert.deepEqual(exchange(67, [['C', message(...options)]]).transactions[0]!.events, [event]);
    });
  }
});

test('version and procedure of NFS calls are read', () => {
  const call = join(be32(7), be32(0), be32(2), be32(100_003), be32(3), be32(6), new Uint8Array(16));
  const flow = exchange(2049, [['C', call], ['S', join(be32(7), be32(1), be32(0))]]); // prettier-ignore
  assert.equal(flow.proto, 'nfs');
  assert.equal(flow.transactions[0]!.number('nfs.version', 0), 3);
  assert.equal(flow.transactions[0]!.number('nfs.procedure', 0), 6);
  assert.deepEqual(flow.transactions[0]!.progress, [255, 255]);
});

describe('IKE', () => {
  const payload = (next: number, ...body: Parameters<typeof join>): Uint8Array => {
    const d = join(...body);
    return join(next, 0, be16(4 + d.length), d);
  };
  const message = (version: number, first: number, exchangeType: number, ...payloads: Uint8Array[]): Uint8Array => {
    const body = join(...payloads);
    return join('12345678', new Uint8Array(8), first, version, exchangeType, 8, be32(0), be32(28 + body.length), body);
  };
  const transform = (last: boolean, type: number, id: number): Uint8Array =>
    join(last ? 0 : 3, 0, be16(8), type, 0, be16(id));
  const proposal = (...ids: [number, number][]): Uint8Array => {
    const all = join(...ids.map(([type, id], i) => transform(i === ids.length - 1, type, id)));
    return join(0, 0, be16(8 + all.length), 1, 1, 0, ids.length, all);
  };

  test('a weak group is told and what both chose is kept', () => {
    const weak = proposal([1, 12], [2, 5], [3, 12], [4, 2]);
    const sound = proposal([1, 12], [2, 5], [3, 12], [4, 14]);
    const flow = exchange(500, [
      ['C', message(0x20, 33, 34, payload(34, weak), payload(40, be16(2), 0, 0, 'KEYKEY'), payload(0, 'nonce'))],
      ['S', message(0x20, 33, 34, payload(0, sound))],
    ]);
    const [asked, answered] = flow.transactions;
    assert.deepEqual(asked!.events, ['weak_crypto_dh']);
    assert.equal(text(asked, 'ike.init_spi', 0), '3132333435363738');
    assert.equal(text(asked, 'ike.key_exchange_payload', 0), undefined);
    assert.equal(asked!.number('ike.nonce_payload_length', 0), undefined);
    assert.equal(asked!.number('ike.exchtype', 0), 34);
    assert.deepEqual(answered!.events, []);
    assert.equal(answered!.number('ike.sa.alg_dh', 1), 14);
  });

  for (const [ids, event] of [
    [
      [
        [1, 3],
        [2, 5],
        [3, 12],
        [4, 14],
      ],
      'weak_crypto_enc',
    ],
    [
      [
        [1, 12],
        [2, 1],
        [3, 12],
        [4, 14],
      ],
      'weak_crypto_prf',
    ],
    [
      [
        [1, 12],
        [2, 5],
        [3, 1],
        [4, 14],
      ],
      'weak_crypto_auth',
    ],
    [
      [
        [1, 12],
        [2, 5],
        [3, 12],
        [4, 0],
      ],
      'weak_crypto_no_dh',
    ],
    [
      [
        [2, 5],
        [3, 12],
        [4, 14],
      ],
      'no_encryption',
    ],
    [
      [
        [1, 12],
        [2, 5],
        [4, 14],
      ],
      'invalid_proposal',
    ],
  ] as [[number, number][], string][]) {
    // prettier-ignore
    test(`${event} is told`, () => {
      const [tx] = exchange(500, [['C', message(0x20, 33, 34, payload(0, proposal(...ids)))]]).transactions;
      assert.deepEqual(tx!.events, [event]);
    });
  }

  test('vendors and attributes of IKE version 1 are read', () => {
    const attributes = join(be16(0x8001), be16(7), be16(0x8002), be16(2), be16(12), be16(4), be32(86_400));
    const one = join(0, 0, be16(8 + attributes.length), 1, 1, 0, 0, attributes);
    const association = join(be32(1), be32(1), 0, 0, be16(8 + one.length), 1, 1, 0, 1, one);
    const flow = exchange(500, [
      ['C', message(0x10, 13, 2, payload(4, 'vendor'), payload(10, 'KEYKEY'), payload(0, 'nonce'))],
      ['S', message(0x10, 1, 2, payload(0, association))],
    ]);
    assert.deepEqual(text(flow.transactions[0], 'ike.vendor', 0), [Buffer.from('vendor').toString('hex')]);
    assert.equal(text(flow.transactions[0], 'ike.key_exchange_payload', 0), Buffer.from('KEYKEY').toString('hex'));
    assert.equal(flow.transactions[0]!.number('ike.key_exchange_payload_length', 0), 6);
    assert.equal(flow.transactions[0]!.number('ike.nonce_payload_length', 0), 5);
    assert.equal(flow.transactions[1]!.number('ike.sa.alg_enc', 1), 7);
    assert.equal(flow.transactions[1]!.number('ike.sa.sa_life_duration', 1), 86_400);
  });
});
