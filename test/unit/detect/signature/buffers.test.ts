import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { bufferReference, CONTENT_MODIFIERS } from '../../../../src/detect/signature/buffers.js';
import { loadRules } from '../../../../src/detect/signature/index.js';
import { BoundedPattern } from '../../../../src/detect/signature/match/guard.js';
import { Inspector } from '../../../../src/detect/signature/match/inspect.js';
import { createTransform } from '../../../../src/detect/signature/match/transform.js';
import type { Direction } from '../../../../src/domain/flow.js';
import { openFlow, play } from '../../applayer/talk.js';
import { text } from '../../applayer/wire.js';
import { compile } from './rules.js';

test('every name of a buffer leads to it', () => {
  for (const { name, aliases, protos } of bufferReference()) {
    for (const alias of [name, ...aliases]) {
      const options = alias in CONTENT_MODIFIERS ? `content:"x"; ${alias};` : `${alias}; pcre:"/x/";`;
      const flow = name === 'http.header.raw' ? 'flow:to_server; ' : '';
      const rule = compile(`alert ip any any -> any any (${flow}${options} sid:1;)`);
      assert.deepEqual(rule.buffers.map((b) => b.buffer.name), [name], alias); // prettier-ignore
      // Older ways to name a field of HTTP do not know HTTP/2.
      const known = alias in CONTENT_MODIFIERS ? ['http'] : protos;
      if (protos.length > 0) assert.deepEqual(rule.appProtos, known, alias);
    }
  }
});

describe('a transform changes the buffer:', () => {
  for (const [option, before, after] of [
    ['compress_whitespace', 'a \t\n b', 'a b'],
    ['strip_whitespace', ' a \t b ', 'ab'],
    ['to_lowercase', 'AbC1', 'abc1'],
    ['to_uppercase', 'AbC1', 'ABC1'],
    ['subslice:2', 'abcdef', 'cdef'],
    ['subslice:-3,2', 'abcdef', 'de'],
    ['subslice:4,-4', 'abcdef', 'cd'],
    ['subslice:2,9', 'abcdef', ''],
    ['subslice:2,9,truncate', 'abcdef', 'cdef'],
    ['from_base64:bytes 20', 'aGVsbG8=', 'aGVsbG8='],
    ['gunzip', 'not packed', ''],
    ['url_decode', '%41+b%2', 'A b%2'],
    ['dotprefix', 'example.org', '.example.org'],
    ['header_lowercase', 'Host: A\r\nX-B: C\r\n', 'host: A\r\nx-b: C\r\n'],
    ['strip_pseudo_headers', ':method: GET\r\nhost: a\r\n', 'host: a\r\n'],
    ['from_base64', 'aGVsbG8=', 'hello'],
    ['from_base64:offset 2, bytes 4', '__aGVsbG8', 'hel'],
    ['pcrexform:"id=(\\d+)"', 'x?id=42&y', '42'],
    ['xor:"0f"', 'ab', '\x6e\x6d'],
    ['to_md5', 'a', Buffer.from(createHash('md5').update('a').digest()).toString('latin1')],
    ['to_sha1', 'a', Buffer.from(createHash('sha1').update('a').digest()).toString('latin1')],
    ['to_sha256', 'a', Buffer.from(createHash('sha256').update('a').digest()).toString('latin1')],
  ] as const) {
    test(option, () => {
      const [name = '', ...value] = option.split(':');
      const transform = createTransform(
        name,
        value.length > 0 ? value.join(':') : undefined,
        (p) => new BoundedPattern(p, false),
      );
      assert.equal(Buffer.from(transform!.apply(Buffer.from(before, 'latin1'))).toString('latin1'), after);
    });
  }
});

describe('a field of HTTP is', () => {
  const request =
    'POST /A%2f/b?q=1 HTTP/1.1\r\nHost: Shop.example:8080\r\nUser-Agent: Probe/1\r\nReferer: http://a/\r\nAccept: */*\r\n' +
    'Accept-Encoding: gzip\r\nAccept-Language: de\r\nConnection: close\r\nCookie: k=v\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nbody';
  const response =
    'HTTP/1.1 302 Found Elsewhere\r\nServer: nginx\r\nLocation: /there\r\nSet-Cookie: s=1\r\nContent-Length: 6\r\n\r\nanswer';
  const [tx] = play(openFlow(), [['C', request], ['S', response]]).transactions; // prettier-ignore
  for (const [name, direction, wanted] of [
    ['http.method', 0, 'POST'],
    ['http.uri.raw', 0, '/A%2f/b?q=1'],
    ['http.host', 0, 'shop.example'],
    ['http.host.raw', 0, 'Shop.example:8080'],
    ['http.user_agent', 0, 'Probe/1'],
    ['http.referer', 0, 'http://a/'],
    ['http.accept', 0, '*/*'],
    ['http.accept_enc', 0, 'gzip'],
    ['http.accept_lang', 0, 'de'],
    ['http.connection', 0, 'close'],
    ['http.cookie', 0, 'k=v'],
    ['http.cookie', 1, 's=1'],
    ['http.content_type', 0, 'text/plain'],
    ['http.content_len', 1, '6'],
    ['http.protocol', 0, 'HTTP/1.1'],
    ['http.request_line', 0, 'POST /A%2f/b?q=1 HTTP/1.1'],
    ['http.response_line', 1, 'HTTP/1.1 302 Found Elsewhere'],
    ['http.stat_code', 1, '302'],
    ['http.stat_msg', 1, 'Found Elsewhere'],
    ['http.server', 1, 'nginx'],
    ['http.location', 1, '/there'],
    ['http.request_body', 0, 'body'],
    ['http.response_body', 1, 'answer'],
    ['file.data', 1, 'answer'],
    ['http.header_names', 1, '\r\nServer\r\nLocation\r\nSet-Cookie\r\nContent-Length\r\n\r\n'],
    ['http.header.raw', 1, response.slice(response.indexOf('\r\n') + 2, -6)],
    ['http.start', 0, request.slice(0, -4)],
    ['http.response_header', 1, ['Server: nginx', 'Location: /there', 'Set-Cookie: s=1', 'Content-Length: 6']],
  ] as [string, Direction, string | string[]][]) {
    test(`${name} ${direction === 0 ? 'of the request' : 'of the answer'}`, () => {
      assert.deepEqual(text(tx, name, direction), wanted);
    });
  }
});

describe('whole files and sets of values', () => {
  const md5 = createHash('md5').update('malware').digest('hex');
  const FILES: Readonly<Record<string, string>> = {
    '/rules/bad.txt': `# comment\n${md5}  sample\n`,
    '/rules/names.rep': `${Buffer.from('evil').toString('base64')},900\n${Buffer.from('dull').toString('base64')},5\n`,
  };
  /** Whether the buffer of a rule matches data that is whole, or still comes. */
  function holds(options: string, data: string, isWhole = true): boolean {
    const files = [{ file: '/rules/own.rules', text: `alert http any any -> any any (${options} sid:1;)` }];
    const { rules, problems } = loadRules(files, { readFile: (path) => FILES[path]! });
    assert.deepEqual(problems, []);
    return new Inspector().run(rules[0]!.buffers[0]!.matches, Buffer.from(data), 0, isWhole);
  }

  test('filesize waits for the end of a file', () => {
    assert.ok(holds('filesize:>3;', 'four') && !holds('filesize:>4;', 'four'));
    assert.ok(!holds('filesize:>3;', 'four', false));
    assert.ok(holds('filesize:<1KB;', 'x'.repeat(1023)) && !holds('filesize:<1KB;', 'x'.repeat(1024)));
  });

  test('the hash of a whole file is looked up in a list', () => {
    assert.ok(holds('filemd5:bad.txt;', 'malware') && !holds('filemd5:bad.txt;', 'benign'));
    assert.ok(!holds('filemd5:bad.txt;', 'malware', false));
    assert.ok(!holds('filemd5:!bad.txt;', 'malware') && holds('filemd5:!bad.txt;', 'benign'));
  });

  test('a list of other hashes is refused', () => {
    for (const keyword of ['filesha1', 'filesha256']) {
      const files = [{ file: '/rules/own.rules', text: `alert http any any -> any any (${keyword}:bad.txt; sid:1;)` }];
      const { problems } = loadRules(files, { readFile: (path) => FILES[path]! });
      assert.match(problems[0]!.reason, /not a hash of sha/);
    }
  });

  test('the reputation of a value is compared', () => {
    const options = (comparison: string): string =>
      `http.host; datarep:names,${comparison},type string,load names.rep;`;
    assert.ok(holds(options('>,100'), 'evil') && !holds(options('>,100'), 'dull'));
    assert.ok(holds(options('==,5'), 'dull') && !holds(options('<,100'), 'unknown'));
  });
});
