import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { packet } from '../../unit/support/packets.js';
import { datagram, echo, http, repeat, replay, tcp, type Traffic } from '../rules/traffic.js';

const folder = mkdtempSync(join(tmpdir(), 'rules-'));
after(() => {
  rmSync(folder, { recursive: true });
});
let files = 0;

/** Sids that fire, in order. */
function sids(rules: readonly string[], traffic: Traffic): number[] {
  const file = join(folder, `${files++}.rules`);
  writeFileSync(file, rules.join('\n'));
  return replay(traffic, [file]).map((d) => d.signatureId);
}

const page = http({ uri: '/secret/page', answer: 'hello world' });
const any = (proto: string, options: string): string => `alert ${proto} any any -> any any (${options})`;

/** rules, traffic, sids that fire */
const CASES: readonly (readonly [string, readonly string[], Traffic, number[]])[] = [
  ['a rule about a transaction fires once for it', [any('http', 'http.uri; content:"/secret"; sid:1;')], page, [1]],
  [
    'all buffers of a rule must match the same transaction',
    [
      any('http', 'flow:to_server; http.method; content:"GET"; http.uri; content:"/secret"; sid:1;'),
      any('http', 'flow:to_server; http.method; content:"PUT"; http.uri; content:"/secret"; sid:2;'),
    ],
    page,
    [1],
  ],
  [
    'a rule for both directions waits for the answer',
    [
      'alert http any any => any any (http.uri; content:"/secret"; http.response_body; content:"hello"; sid:1;)',
      'alert http any any => any any (http.uri; content:"/secret"; http.response_body; content:"absent"; sid:2;)',
    ],
    page,
    [1],
  ],
  [
    'content over two segments is found in the stream and not in a packet',
    [any('tcp-stream', 'content:"attack"; sid:1;'), any('tcp-pkt', 'content:"attack"; sid:2;')],
    tcp(7000, [
      ['>', 'xxatt'],
      ['>', 'ackxx'],
    ]),
    [1],
  ],
  [
    'flow direction and state are kept',
    [
      any('tcp', 'flow:to_client,established; content:"ping"; sid:1;'),
      any('tcp', 'flow:to_server,established; content:"ping"; sid:2;'),
      any('tcp', 'flow:not_established; content:"ping"; sid:3;'),
    ],
    tcp(7000, [['>', 'ping']]),
    [2],
  ],
  [
    'a bit that one rule sets lets another fire, and noalert keeps the first silent',
    [
      any('tcp-pkt', 'content:"user"; flowbits:set,seen; flowbits:noalert; sid:1;'),
      any('tcp-pkt', 'content:"pass"; flowbits:isset,seen; sid:2;'),
      any('tcp-pkt', 'content:"pass"; flowbits:isnotset,seen; sid:3;'),
    ],
    tcp(7000, [
      ['>', 'user'],
      ['>', 'pass'],
    ]),
    [2],
  ],
  [
    'a bit of a host outlives the connection until it expires',
    [
      any('icmp', 'content:"one"; xbits:set,x,track ip_src,expire 10; noalert; sid:1;'),
      any('icmp', 'content:"two"; xbits:isset,x,track ip_src; sid:2;'),
    ],
    [echo('one', 0), echo('two', 5), echo('two', 20)],
    [2],
  ],
  [
    'a number of the flow counts',
    [
      any('tcp-pkt', 'content:"try"; flowint:tries,notset; flowint:tries,=,0; noalert; sid:1;'),
      any('tcp-pkt', 'content:"try"; flowint:tries,isset; flowint:tries,+,1; noalert; sid:2;'),
      any('tcp-pkt', 'content:"now"; flowint:tries,>,1; sid:3;'),
    ],
    tcp(7000, [
      ['>', 'try'],
      ['>', 'try'],
      ['>', 'now'],
    ]),
    [3],
  ],
  [
    'a number that the flow does not have yet counts from 0, and is compared with none',
    [
      any('tcp-pkt', 'content:"try"; flowint:seen,+,1; sid:1;'),
      any('tcp-pkt', 'content:"try"; flowint:left,-,1; sid:2;'),
      any('tcp-pkt', 'content:"try"; flowint:none,<,5; sid:3;'),
      any('tcp-pkt', 'content:"now"; flowint:seen,=,2; flowint:seen,>,1; sid:4;'),
      any('tcp-pkt', 'content:"now"; flowint:seen,>,2; sid:5;'),
    ],
    tcp(7000, [
      ['>', 'try'],
      ['>', 'try'],
      ['>', 'now'],
    ]),
    [1, 2, 1, 2, 4],
  ],
  [
    'pass ends what comes behind it',
    [any('icmp', 'content:"abc"; sid:1;'), `pass icmp any any -> any any (content:"abc"; sid:2;)`],
    [echo('abc')],
    [],
  ],
  [
    'limit keeps the first of a window',
    [any('icmp', 'itype:8; threshold:type limit, track by_src, count 2, seconds 10; sid:1;')],
    [0, 1, 2, 3, 12].map((at) => echo('x', at)),
    [1, 1, 1],
  ],
  [
    'threshold takes every n-th',
    [any('icmp', 'itype:8; threshold:type threshold, track by_src, count 2, seconds 10; sid:1;')],
    [0, 1, 2, 3, 4].map((at) => echo('x', at)),
    [1, 1],
  ],
  [
    'both takes one of a window',
    [any('icmp', 'itype:8; threshold:type both, track by_src, count 2, seconds 10; sid:1;')],
    [0, 1, 2, 3, 4].map((at) => echo('x', at)),
    [1],
  ],
  [
    'detection_filter fires above its count',
    [any('icmp', 'itype:8; detection_filter:track by_src, count 3, seconds 10; sid:1;')],
    [0, 1, 2, 3, 4].map((at) => echo('x', at)),
    [1, 1],
  ],
  [
    'fifteen alerts of one packet are kept, the most urgent ones',
    Array.from({ length: 20 }, (_, i) => any('icmp', `itype:8; priority:${i < 5 ? 3 : 1}; sid:${i + 1};`)),
    [echo('x')],
    Array.from({ length: 15 }, (_, i) => i + 6),
  ],
  [
    'a negated content needs the buffer',
    [
      any('http', 'http.cookie; content:!"a"; sid:1;'),
      any('http', 'flow:to_server; http.host; content:!"elsewhere"; sid:2;'),
      any('http', 'flow:to_server; http.cookie; absent; sid:3;'),
    ],
    page,
    [2, 3],
  ],
  [
    'ports and addresses of the header decide',
    [
      'alert udp any any -> any 53 (content:"q"; sid:1;)',
      'alert udp any 53 -> any any (content:"q"; sid:2;)',
      'alert udp any 53 <> any any (content:"q"; sid:3;)',
      'alert udp !203.0.113.0/24 any -> any any (content:"q"; sid:4;)',
    ],
    [datagram({ sport: 4000, dport: 53, payload: 'qqqqqqqqqqqqqq' })],
    [1, 3],
  ],
  [
    'header keywords look at the packet',
    [any('tcp', 'flags:S; ttl:<65; sid:1;'), any('tcp', 'flags:SA; sid:2;'), any('ip', 'ip_proto:17; sid:3;')],
    [packet({ flags: 2, ttl: 64 })],
    [1],
  ],
  [
    'transforms change what contents see',
    [
      any('http', 'http.host; dotprefix; content:".shop.example"; endswith; sid:1;'),
      any('http', 'http.uri; to_md5; content:"|00|"; startswith; content:"zz"; sid:2;'),
      any('http', 'http.uri; xor:"01"; content:"rdbsdu"; sid:3;'),
    ],
    page,
    [1, 3],
  ],
  [
    'lists of payload matches are per packet for UDP',
    [any('udp', 'content:"ab"; content:"cd"; sid:1;')],
    [datagram({ dport: 9, payload: 'ab' }), datagram({ dport: 9, payload: 'cd' })],
    [],
  ],
];

for (const [name, rules, traffic, want] of CASES) {
  test(name, () => {
    assert.deepEqual(sids(rules, traffic), want);
  });
}

test('an alert carries the rule, the matched bytes and where they were', () => {
  const file = join(folder, 'evidence.rules');
  writeFileSync(
    file,
    any('http', 'http.uri; content:"/sec"; classtype:web-application-attack; target:dest_ip; sid:1;'),
  );
  const [detection] = replay(page, [file]);
  assert.ok(detection);
  const value = (key: string): unknown => detection.evidence.find((e) => e.name === key)?.value;
  assert.equal(value('matched_bytes'), '/sec');
  assert.equal(value('matched_buffer'), 'http.uri');
  assert.equal(value('matched_offset'), 0);
  assert.match(String(value('rule')), /^alert http/);
  assert.equal(detection.offender, '203.0.113.9');
  assert.equal(detection.victim, '10.0.0.2');
  assert.equal(detection.spoofable, false);
  assert.equal(detection.severity, 'high');
  assert.equal(detection.appProto, 'http');
});

test('state of many flows does not grow without end', () => {
  const traffic = repeat(200, 0.01, (at, sport) => tcp(7000, [['>', 'abc']], at, sport));
  assert.equal(sids([any('tcp-stream', 'content:"abc"; sid:1;')], traffic).length, 200);
});
