import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { deflateSync, gzipSync } from 'node:zlib';
import { arpPacket, packet } from '../../unit/support/packets.js';
import { datagram, http, replay, type Traffic } from '../rules/traffic.js';

const u16 = (n: number): number[] => [n >> 8, n & 255];
const name = (text: string): number[] => [
  ...text.split('.').flatMap((label) => [label.length, ...Buffer.from(label)]),
  0,
];
const record = (owner: string, type: number, data: number[]): number[] => [
  ...[...name(owner), ...u16(type), ...u16(1), 0, 0, 0, 60, ...u16(data.length), ...data],
];

/** An answer of three kinds of records, with a name server that is named in its data alone. */
const ANSWER = Uint8Array.from([
  ...[0, 7, 0x81, 0x83, ...u16(1), ...u16(2), ...u16(1), ...u16(1)],
  ...[...name('shop.example'), ...u16(1), ...u16(1)],
  ...record('shop.example', 5, name('web.shop.example')),
  ...record('web.shop.example', 1, [192, 0, 2, 1]),
  ...record('example', 2, name('ns.registry.example')),
  ...record('glue.registry.example', 28, Array<number>(16).fill(1)),
]);
const ENDS = { src: '198.51.100.1', dst: '192.0.2.9' };
const packed = (bytes: Buffer): string => encodeURIComponent(bytes.toString('base64'));
const SECRET = 'all of it was packed';
const ARP = arpPacket({ at: 3, op: 1, senderIp: '10.0.0.1', targetIp: '10.0.0.2' });
ARP.data.set([8, 6], ARP.frameOffset + 12);
const TRAFFIC: Traffic = [
  ...http({ uri: `/get?value=${packed(gzipSync(SECRET))}` }),
  ...http({ uri: `/get?other=${packed(deflateSync(SECRET))}` }, 1, 40_001),
  datagram({ ...ENDS, at: 2, sport: 53, dport: 50_000, payload: ANSWER }),
  ARP,
  packet({ at: 4, proto: 2, payload: '\x16\0\0\0' }),
];

const folder = mkdtempSync(join(tmpdir(), 'later-'));
after(() => {
  rmSync(folder, { recursive: true });
});

/** Rules with what they are expected to do: fire so many times, or never; each kind of keyword has both. */
const CASES: readonly (readonly [rule: string, times: number])[] = [
  ['dns any any -> any any (dns.authorities.rrname; content:"example"; bsize:7;', 1],
  ['dns any any -> any any (dns.authorities.rrname; content:"shop";', 0],
  ['dns any any -> any any (dns.additionals.rrname; content:"glue."; startswith;', 1],
  ['dns any any -> any any (dns.additionals.rrname; content:"ns.";', 0],
  ['dns any any -> any any (dns.response.rrname; content:"ns.registry.example"; bsize:19;', 1],
  ['dns any any -> any any (dns.response.rrname; content:"web.shop.example"; bsize:16;', 1],
  ['dns any any -> any any (dns.response.rrname; content:"ns.shop";', 0],
  ['dns any any -> any any (dns.rcode:nxdomain;', 1],
  ['dns any any -> any any (dns.rcode:!NXDOMAIN;', 0],
  ['dns any any -> any any (dns.rrtype:CNAME;', 1],
  ['dns any any -> any any (dns.rrtype:5,0;', 1],
  ['dns any any -> any any (dns.rrtype:5,-1;', 0],
  ['dns any any -> any any (dns.rrtype:A,-1;', 1],
  ['dns any any -> any any (dns.rrtype:<6,all;', 1],
  ['dns any any -> any any (dns.rrtype:A,all;', 0],
  ['dns any any -> any any (dns.rrtype:A,nb>1;', 0],
  ['dns any any -> any any (dns.rrtype:<6,nb>1;', 1],
  ['dns any any -> any any (dns.rrtype:A,7;', 0],
  ['dns any any -> any any (dns.rrtype:A,oob_or 7;', 1],
  ['dns:response_complete any any -> any any (dns.answers.rrname; content:"web";', 1],
  ['dns:request_complete any any -> any any (dns.answers.rrname; content:"web";', 0],
  ['http any any -> any any (http.uri; content:"value="; from_base64:offset 11; gunzip; content:"all of it was packed"; bsize:20;', 1],
  ['http any any -> any any (http.uri; from_base64:offset 11; gunzip:max-size=8; content:"all of i"; bsize:8;', 1],
  ['http any any -> any any (http.uri; from_base64:offset 11; gunzip:max-size=8; content:"all of it";', 0],
  ['http any any -> any any (http.uri; from_base64:offset 11; zlib_deflate; content:"packed"; endswith;', 1],
  ['http any any -> any any (http.uri; subslice:1,3; content:"get"; bsize:3;', 2],
  ['http any any -> any any (http.uri; subslice:-1000; bsize:>0;', 0],
  ['http any any -> any any (http.uri; subslice:-1000,truncate; content:"/get"; startswith;', 2],
  ['http any any -> any any (http.uri; from_base64:offset 4,set_error; absent;', 2],
  ['http any any -> any any (http.uri; from_base64:offset 11,set_error; absent;', 0],
  ['http any any -> any any (http.uri; from_base64:offset 4,set_error; absent:or_else; content:"nowhere";', 2],
  ['http any any -> any any (http.uri; from_base64:offset 11,set_error; absent:or_else; content:"nowhere";', 0],
  ['http any any -> any any (http.uri; from_base64:mode strict; content:"/get?"; startswith;', 2],
  ['http any any -> any any (http.uri; pcrexform:"value=(.)"; absent:must_error;', 1],
  ['http any any -> any any (http.cookie; pcrexform:"value=(.)"; absent:must_error;', 0],
  ['http any any -> any any (http.uri; entropy:value > 3;', 2],
  ['http any any -> any any (http.uri; entropy:bytes 4, offset 1, value 1.5-1.6;', 0],
  ['http any any -> any any (http.uri; entropy:bytes 2, offset 1, value 1;', 2],
  ['http any any => any any (http.uri; content:"/get"; http.stat_msg; content:"OK"; fast_pattern;', 2],
  ['http any any => any any (http.uri; content:!"/get"; http.stat_msg; content:"OK";', 0],
  ['http any any => any any (http.uri; content:!"/got"; http.stat_msg; content:"OK";', 2],
  ['http any any => any any (http.uri; content:"/get"; bidir.toclient; http.header; content:"text/html";', 2],
  ['http any any => any any (http.uri; content:"/get"; bidir.toserver; http.header; content:"text/html";', 0],
  ['tcp any any -> any any (app-layer-protocol:tls|http;', 4],
  ['tcp any any -> any any (app-layer-protocol:!tls|http;', 0],
  ['tcp any any -> any any (content:"HTTP/1.1 200"; app-layer-protocol:http1,final;', 2],
  ['tcp any any -> any any (content:"HTTP/1.1 200"; app-layer-protocol:http,original;', 2],
  ['tcp any any -> any any (content:"HTTP/1.1 200"; app-layer-protocol:http2,either;', 0],
  ['tcp any any -> any any (content:"HTTP/1.1 200"; app-layer-protocol:http,to_server,exact;', 2],
  ['tcp any any -> any any (flow.pkts:toserver,3; flow:to_server;', 2],
  ['tcp any any -> any any (flow.pkts_toclient:>50;', 0],
  ['tcp any any -> any any (flow.bytes:either,>100000;', 0],
  ['tcp:flow_start any any -> any any (flags:S;', 2],
  ['tcp:flow_start any any -> any any (flags:SA;', 0],
  ['igmp any any -> any any (igmp.type:0x16;', 1],
  ['igmp any any -> any any (igmp.type:17;', 0],
  ['igmp any any -> any any (igmp.hdr; content:"|16|"; startswith;', 1],
  ['arp any any -> any any (', 1],
  ['ether any any -> any any (ether.hdr; content:"|08 06|"; offset:12; depth:2;', 1],
  ['ether any any -> any any (eth.hdr; content:"|08 07|"; offset:12; depth:2;', 0],
  ['ip any any -> any any (vlan.layers:0; flags:S;', 2],
  ['ip any any -> any any (vlan.id:10;', 0],
]; // prettier-ignore

describe('a rule with a keyword of later versions fires as often as it should:', () => {
  const file = join(folder, 'later.rules');
  writeFileSync(file, CASES.map(([rule], i) => `alert ${rule} sid:${i + 1};)`).join('\n'));
  const alerts = replay(TRAFFIC, [file], { maxAlertsPerPacket: 250 });
  for (const [i, [rule, times]] of CASES.entries())
    test(rule, () => {
      assert.equal(alerts.filter((a) => a.signatureId === i + 1).length, times);
    });
});
