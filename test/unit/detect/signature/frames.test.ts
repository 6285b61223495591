import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { splitterOf } from '../../../../src/detect/signature/frames/index.js';
import type { FlowKnowledge } from '../../../../src/detect/signature/frames/split.js';
import { FrameTracker } from '../../../../src/detect/signature/frames/tracker.js';
import { StreamWindow } from '../../../../src/detect/signature/state/stream-window.js';
import { WindowMemory } from '../../../../src/detect/signature/state/window-memory.js';
import type { Direction } from '../../../../src/domain/flow.js';
import { compile, problemOf } from './rules.js';

const u16 = (n: number): string => String.fromCharCode(n >> 8, n & 255);
const u32 = (n: number): string => u16(n >>> 16) + u16(n & 0xffff);
const zeros = (n: number): string => '\0'.repeat(n);
const record = (type: number, body: string): string => `${String.fromCharCode(type)}\x03\x01${u16(body.length)}${body}`;
const nbss = (body: string): string => u32(body.length) + body;
const rpc = (body: string): string => u32(0x80000000 + body.length) + body;
const call = (version: number): string => u32(7) + u32(0) + u32(2) + u32(100_003) + u32(version) + u32(1) + u32(1) + u32(20) + zeros(28); // prettier-ignore
const reply = u32(7) + u32(1) + zeros(16);

/** Every frame of a conversation but `stream`, as `side type begin+length`, the length left out while it is open. */
function framesOf(proto: string, said: readonly (readonly [Direction, string])[], size = Infinity): string[] {
  const memory = new WindowMemory(1_000_000);
  const sides = ([0, 1] as const).map((d) => ({ tracker: new FrameTracker(proto), stream: new StreamWindow(memory, d) }));
  const known: FlowKnowledge = { nfsVersion: 0 };
  for (const [side, text] of said) {
    const { tracker, stream } = sides[side]!;
    const data = Buffer.from(text, 'latin1');
    for (let at = 0; at < data.length; at += size) {
      const piece = data.subarray(at, at + size);
      stream.add(piece, 0, piece.length, stream.total);
      tracker.follow(splitterOf(proto, 'tcp'), stream, side, known);
    }
  }
  return sides.flatMap(({ tracker }, side) =>
    tracker.frames
      .filter((f) => f.type !== 'stream')
      .map((f) => `${side} ${f.type} ${f.begin}+${f.end < 0 ? '' : f.end - f.begin}`),
  );
} // prettier-ignore

/** Conversations, and the frames that Suricata 7.0.10 logs of them. */
const CONVERSATIONS: readonly (readonly [string, string, (readonly [Direction, string])[], string[]])[] = [
  ['requests and answers of HTTP', 'http',
    [[0, 'POST /b HTTP/1.1\r\nContent-Length: 4\r\n\r\nbodyGET /c HTTP/1.1\r\n\r\n'], [1, 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nxyz\r\n0\r\n\r\nHTTP/1.1 204 No\r\n\r\n']],
    ['0 request 0+43', '0 request 43+19', '1 response 0+60', '1 response 60+19']],
  ['records of TLS', 'tls',
    [[0, record(22, 'hello') + record(24, 'beat')], [1, record(21, '\x01\0')]],
    ['0 pdu 0+10', '0 hdr 0+5', '0 data 5+5', '0 pdu 10+9', '0 hdr 10+5', '0 data 15+4', '0 heartbeat 15+4', '1 pdu 0+7', '1 hdr 0+5', '1 data 5+2', '1 alert 5+2']],
  ['a hello of SSL 2', 'tls', [[0, `\x80\x2e\x01\0\x02${zeros(43)}`]], ['0 ssl2.pdu 0+48', '0 ssl2.hdr 0+3']],
  ['a message of SMB 1', 'smb', [[0, nbss(`\xffSMB${zeros(43)}`)]],
    ['0 nbss.pdu 0+51', '0 nbss.hdr 0+4', '0 nbss.data 4+47', '0 smb1.pdu 4+47', '0 smb1.hdr 4+32', '0 smb1.data 36+15']],
  ['two commands of SMB 2 in one message', 'smb', [[0, nbss(`\xfeSMB${zeros(16)}\x50${zeros(59)}\xfeSMB${zeros(70)}`)]],
    ['0 nbss.pdu 0+158', '0 nbss.hdr 0+4', '0 nbss.data 4+154', '0 smb2.pdu 4+80', '0 smb2.hdr 4+64', '0 smb2.data 68+16', '0 smb2.pdu 84+74', '0 smb2.hdr 84+64', '0 smb2.data 148+10']],
  ['packets of MQTT', 'mqtt', [[0, '\x30\x0a\0\x03a/bhello\xc0\0']], ['0 pdu 0+12', '0 header 0+2', '0 data 2+10', '0 pdu 12+2', '0 header 12+2']],
  ['DNS over TCP', 'dns', [[0, u16(29) + 'q'.repeat(29)]], ['0 pdu 2+29']],
  ['commands, lines and a prompt of telnet', 'telnet',
    [[1, '\xff\xfd\x18\xff\xfa\x18\x01\xff\xf0login: '], [0, 'bob\r\n'], [1, '$ ']],
    ['0 pdu 0+5', '0 data 0+5', '1 pdu 0+3', '1 ctl 0+3', '1 pdu 3+4', '1 ctl 3+4', '1 pdu 7+2', '1 ctl 7+2', '1 pdu 9+7', '1 data 9+7', '1 pdu 16+', '1 data 16+']],
  ['NFS 4', 'nfs', [[0, rpc(call(4) + zeros(16))], [1, rpc(reply + zeros(20))]],
    ['0 rpc.pdu 0+80', '0 rpc.creds 28+28', '0 nfs4.pdu 64+16', '0 nfs4.hdr 64+8', '0 nfs4.ops 72+8', '1 rpc.pdu 0+48', '1 rpc.hdr 0+12', '1 rpc.data 12+36', '1 nfs4.pdu 28+20', '1 nfs4.hdr 28+8', '1 nfs4.ops 36+12', '1 nfs4.status 28+4']],
  ['NFS 3', 'nfs', [[0, rpc(`${call(3)}${u32(4)}fhfh`)], [1, rpc(reply + zeros(88))]],
    ['0 rpc.pdu 0+72', '0 rpc.creds 28+28', '1 rpc.pdu 0+116', '1 rpc.hdr 0+12', '1 rpc.data 12+104']],
  ['what RFB begins with', 'rfb',
    [[1, 'RFB 003.008\n'], [0, 'RFB 003.008\n'], [1, '\x02\x01\x02'], [0, '\x02'], [1, 'x'.repeat(16)], [0, 'y'.repeat(16)]],
    ['0 pdu 0+12', '0 pdu 12+1', '0 pdu 13+16', '1 pdu 0+12', '1 pdu 12+3', '1 pdu 15+16']],
]; // prettier-ignore

describe('the frames of a conversation are those of Suricata:', () => {
  for (const [name, proto, said, frames] of CONVERSATIONS)
    test(name, () => {
      assert.deepEqual(framesOf(proto, said), frames);
      // The same, however the bytes are cut; RFB says nowhere how long its messages are, nor telnet where a prompt ends.
      if (proto !== 'rfb' && proto !== 'telnet') assert.deepEqual(framesOf(proto, said, 1), frames);
    });

  test('a datagram of SIP', () => {
    const text = 'INVITE sip:a@b SIP/2.0\r\nVia: x\r\nContent-Length: 3\r\n\r\nabc';
    const split = splitterOf('sip', 'udp')!(Buffer.from(text), 0, { nfsVersion: 0 });
    assert.deepEqual(split?.parts, [['pdu', 0, 56], ['request.line', 0, 24], ['request.headers', 24, 53], ['request.body', 53, 56]]); // prettier-ignore
  });
});

test('bytes that were lost end the search for messages, not that of the stream', () => {
  const stream = new StreamWindow(new WindowMemory(100_000), 0);
  const tracker = new FrameTracker('dns');
  stream.add(Buffer.from(`${u16(9)}abc`), 0, 5, 0);
  tracker.follow(splitterOf('dns', 'tcp'), stream, 0, { nfsVersion: 0 });
  stream.add(Buffer.from('xyzxyzxyz'), 0, 9, 100);
  tracker.follow(splitterOf('dns', 'tcp'), stream, 0, { nfsVersion: 0 });
  assert.deepEqual(tracker.frames.map((f) => f.type), ['stream', 'pdu']); // prettier-ignore
});

describe('frames are named', () => {
  for (const [header, frame, name] of [
    ['smb', 'smb1.hdr', 'smb.smb1.hdr'],
    ['tcp', 'smb.smb1.hdr', 'smb.smb1.hdr'],
    ['http', 'http1.request', 'http.request'],
    ['http1', 'request', 'http.request'],
    ['ssh', 'stream', 'ssh.stream'],
    ['tcp', 'ssh.stream', 'ssh.stream'],
  ] as const)
    test(`${frame} in a rule of ${header}`, () => {
      const rule = compile(`alert ${header} any any -> any any (frame:${frame}; content:"a"; sid:1;)`);
      assert.deepEqual([rule.kind, rule.buffers[0]?.buffer.name], ['frame', name]);
    });

  for (const [header, options, reason] of [
    ['tcp', 'frame:smb1.hdr; content:"a"', /not a frame/],
    ['http', 'frame:request; content:"a"', /not a frame/],
    ['sip', 'frame:stream; content:"a"', /not a frame/],
    ['smb', 'frame:smb1.hdr', /nothing is looked for/],
    ['smb', 'frame:smb1.hdr; content:"a"; smb.share; content:"b"', /stand alone/],
    ['smb', 'content:"x"; frame:smb1.hdr; content:"a"', /stand alone/],
  ] as const)
    test(`and not ${options} in a rule of ${header}`, () => {
      assert.match(problemOf(`alert ${header} any any -> any any (${options}; sid:1;)`).reason, reason);
    });
});
