import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadRules } from '../../../../src/detect/signature/index.js';
import { parsePcre } from '../../../../src/detect/signature/parse/pcre.js';

/** Options in which `X` is a name that no table has; each is refused by that name. */
const OPTIONS = [
  'X:1', 'X', 'http.uri; X; content:"a"', 'flags:X', 'ipopts:X', 'ip_proto:X', 'ssl_state:X', 'tls.version:X', 'dns.rcode:X', 'dns.rrtype:X',
  'app-layer-protocol:X', 'app-layer-event:X.y', 'krb5.ticket_encryption:X', 'mqtt.type:X', 'mqtt.flags:X', 'mqtt.connect.flags:X', 'iprep:X,a,>,1',
  'frame:X; content:"a"', 'websocket.opcode:X', 'websocket.flags:X', 'ldap.request.operation:X', 'ldap.responses.result_code:X', 'ftp.mode:X',
  'http2.frametype:X', 'http2.settings:X=1', 'modbus:access X', 'modbus:access read X', 'xbits:set,a,track X', 'http.uri; absent:X; content:"a"',
] as const; // prettier-ignore

for (const option of OPTIONS) {
  test(`${option} is refused also when X is a name that every object has`, () => {
    for (const name of ['nonsense', 'constructor', '__proto__', 'toString']) {
      const text = `alert ip any any -> any any (${option.replace('X', name)}; sid:1;)`;
      const { rules, problems } = loadRules([{ file: 'a.rules', text }]);
      assert.deepEqual([rules.length, problems.length], [0, 1], text);
      assert.doesNotMatch(problems[0]!.reason, /native code|Cannot read|is not a function|is not iterable/);
    }
  });
}

test('metadata may be called anything', () => {
  const text = 'alert ip any any -> any any (metadata:constructor a, toString b, created_at 2026; sid:1;)';
  const { rules } = loadRules([{ file: 'a.rules', text }]);
  assert.deepEqual(rules[0]?.metadata, { constructor: ['a'], toString: ['b'], created_at: ['2026'] });
});

test('a class of characters has a name that POSIX knows', () => {
  for (const name of ['nonsense', 'constructor'])
    assert.throws(() => parsePcre(`"/[[:${name}:]]/"`), /is not supported/);
  assert.doesNotThrow(() => parsePcre('"/[[:alpha:]]/"'));
});
