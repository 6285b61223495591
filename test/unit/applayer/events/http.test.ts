import { describe } from 'node:test';
import { gzipSync } from 'node:zlib';
import { bytes, type Message } from '../bench.js';
import { testEvents, type EventCase } from './cases.js';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi';
const headed = (field: string): string => `GET / HTTP/1.1\r\nHost: a\r\n${field}\r\n\r\n`;
const toHost = (host: string, uri = '/'): string => `GET ${uri} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
const asks = (name: string, request: string, ...events: string[]): EventCase => ({
  name,
  said: [
    [0, request],
    [1, OK],
  ],
  events,
});
const answers = (name: string, answer: string | Uint8Array, ...events: string[]): EventCase => ({
  name,
  said: [
    [0, GET],
    [1, answer],
  ],
  events,
});
const fields = (list: string, body: string | Uint8Array = 'hi', status = '200 OK'): Uint8Array =>
  Buffer.concat([bytes(`HTTP/1.1 ${status}\r\n${list}\r\n\r\n`), bytes(body)]);
const form = (body: string): string =>
  `POST /u HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=B\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const FILE = 'Content-Disposition: form-data; name="f"; filename="up.php"';
const range = (value: string): Uint8Array =>
  fields(`Content-Range: ${value}\r\nContent-Length: 2`, 'hi', '206 Partial');
const many = (n: number, line: (i: number) => string): string =>
  Array.from({ length: n }, (_, i) => line(i)).join('\r\n');

describe('anomalies of HTTP requests', () => {
  testEvents([
    asks('a plain request', GET),
    asks('a field without a colon', headed('Foo bar'), 'request_field_missing_colon'),
    asks('a field without a name', headed(': bar'), 'request_header_invalid'),
    asks('a space before the colon', headed('Foo : bar'), 'request_header_invalid'),
    asks('a name that is no token', headed('F@o: bar'), 'request_header_invalid'),
    asks('a token with every odd character', headed("a!#$%&'*+-.^_`|~9: bar")),
    asks('a folded first line', 'GET / HTTP/1.1\r\n X: a\r\nHost: a\r\n\r\n', 'invalid_request_field_folding'),
    asks(
      'a field folded over too many bytes',
      headed(`X: a\r\n${many(11, () => ` ${'a'.repeat(1000)}`)}`),
      'request_field_too_long',
    ),
    asks('a field folded over some bytes', headed(`X: a\r\n${many(9, () => ` ${'a'.repeat(1000)}`)}`)),
    {
      ...asks('a line that is too long', toHost('a', `/${'a'.repeat(20_000)}`), 'request_field_too_long'),
      cut: 1400,
    },
    asks('more fields than are kept', headed(many(1100, (i) => `X${i}: 1`)), 'request_too_many_headers'),
    asks('as many fields as are kept', headed(many(1024, (i) => `X${i}: 1`))),
    asks('a field very often', headed(many(100, () => 'X: 1'))),
    asks(
      'two lengths that differ',
      headed('Content-Length: 0\r\nContent-Length: 1'),
      'duplicate_content_length_field_in_request',
    ),
    asks('two equal lengths', headed('Content-Length: 0\r\nContent-Length: 0')),
    asks('no length', headed('Content-Length: abc'), 'invalid_content_length_field_in_request'),
    asks('no host', 'GET / HTTP/1.1\r\n\r\n', 'missing_host_header'),
    asks('no host in HTTP/1.0', 'GET / HTTP/1.0\r\n\r\n'),
    asks('another host in the target', toHost('a', 'http://b/'), 'host_header_ambiguous'),
    asks('the same host in the target', toHost('A.', 'http://a/')),
    asks('another port in the target', toHost('a:82', 'http://a:81/'), 'host_header_ambiguous'),
    asks('a port that is none', toHost('a:x'), 'request_header_host_invalid'),
    asks('port 0', toHost('a:0'), 'request_header_host_invalid'),
    asks('an empty host', toHost(''), 'request_header_host_invalid'),
    asks('an empty label', toHost('a..b'), 'request_header_host_invalid'),
    asks('a label that is too long', toHost(`${'a'.repeat(64)}.b`), 'request_header_host_invalid'),
    asks('a label as long as may be', toHost(`${'a'.repeat(63)}.b`)),
    asks('an address in brackets', toHost('[::1]:80')),
    asks('no address in brackets', toHost('[zz]'), 'request_header_host_invalid'),
    asks('an underscore', toHost('a_b')),
    asks('a target with an empty port', toHost('a', 'http://a:/'), 'request_uri_host_invalid'),
    asks('a target with two signs', toHost('a', 'http://a@@b/'), 'host_header_ambiguous', 'request_uri_host_invalid'),
    asks('a target with a user', toHost('a', 'http://u:p@a/')),
    asks('an unknown way to log in', headed('Authorization: NTLM abc'), 'request_auth_unrecognized'),
    asks('a usual way to log in', headed('Authorization: Bearer abc')),
    asks('another coding than chunks', headed('Transfer-Encoding: gzip'), 'invalid_transfer_encoding_value_in_request'),
    asks(
      'chunks in HTTP/1.0',
      'POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n',
      'invalid_transfer_encoding_value_in_request',
    ),
    asks('chunks', `${headed('Transfer-Encoding: chunked')}1\r\na\r\n0\r\n\r\n`),
    asks(
      'a chunk with an extension',
      `${headed('Transfer-Encoding: chunked')}1;x=y\r\na\r\n0\r\n\r\n`,
      'request_chunk_extension',
    ),
    asks(
      'a chunk without a length',
      `${headed('Transfer-Encoding: chunked')}zz\r\na\r\n0\r\n\r\n`,
      'invalid_request_chunk_len',
    ),
    asks('a line behind the request', `${GET}junk\r\n`, 'request_body_unexpected'),
    asks(
      'a line behind a body',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhijunk\r\n',
      'request_body_unexpected',
    ),
    asks('another request behind it', GET + GET),
    asks('a blank in front', `  ${GET}`, 'request_line_leading_whitespace'),
    asks('a tab behind the method', 'GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n', 'method_delim_non_compliant'),
    asks('a tab behind the target', 'GET /\tHTTP/1.1\r\nHost: a\r\n\r\n', 'uri_delim_non_compliant'),
    asks('a part without a colon', form(`--B\r\nFoo\r\n${FILE}\r\n\r\nx\r\n--B--\r\n`), 'multipart_invalid_header'),
    asks('a part with a colon at the end', form(`--B\r\nFoo:\r\n\r\nx\r\n--B--\r\n`), 'multipart_invalid_header'),
    asks('a part without a byte', form(`--B\r\n${FILE}\r\n\r\n--B--\r\n`), 'multipart_no_filedata'),
    asks('a part without a line end', form(`--B\r\n${FILE}\r\n\r\nx--B--\r\n`), 'multipart_generic_error'),
    asks('a part', form(`--B\r\n${FILE}\r\n\r\nx\r\n--B--\r\n`)),
    asks(
      'a file with a long name',
      `PUT /${'a'.repeat(5000)} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi`,
      'file_name_too_long',
    ),
    asks(
      'more anomalies than are told',
      many(600, () => headed('X y')),
      'request_field_missing_colon',
      'too_many_warnings',
    ),
  ]);
});

describe('anomalies of HTTP answers', () => {
  const gz = gzipSync('hello hello hello hello');
  const bomb = gzipSync(gzipSync(Buffer.alloc(9_000_000)));
  const zipped = (body: Uint8Array, encoding = 'gzip'): Uint8Array =>
    fields(`Content-Encoding: ${encoding}\r\nContent-Length: ${body.length}`, body);
  testEvents([
    answers('a plain answer', OK),
    answers('a field without a colon', fields('Foo\r\nContent-Length: 2'), 'response_field_missing_colon'),
    answers('a name that is no token', fields('F(o: 1\r\nContent-Length: 2'), 'response_header_invalid'),
    answers('a folded first line', fields(' X: a\r\nContent-Length: 2'), 'invalid_response_field_folding'),
    answers(
      'more fields than are kept',
      fields(`${many(1100, (i) => `X${i}: 1`)}\r\nContent-Length: 2`),
      'response_too_many_headers',
    ),
    answers(
      'two lengths that differ',
      fields('Content-Length: 2\r\nContent-Length: 3'),
      'duplicate_content_length_field_in_response',
    ),
    answers('no length', fields('Content-Length: abc'), 'invalid_content_length_field_in_response'),
    answers('no status', 'HTTP/1.1 abc OK\r\nContent-Length: 2\r\n\r\nhi', 'response_invalid_status'),
    answers('no protocol', 'HTTP/7 200 OK\r\nContent-Length: 2\r\n\r\nhi', 'response_invalid_protocol'),
    answers(
      '100 twice',
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n${OK}`,
      '100_continue_already_seen',
    ),
    answers('100 once', `HTTP/1.1 100 Continue\r\n\r\n${OK}`),
    answers('100 with an empty body', `HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n${OK}`),
    answers('an answer too many', OK + OK, 'unable_to_match_response_to_request'),
    answers(
      'two codings',
      fields('Transfer-Encoding: gzip, chunked', '2\r\nhi\r\n0\r\n\r\n'),
      'response_abnormal_transfer_encoding',
    ),
    answers(
      'chunks in HTTP/1.0',
      'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n',
      'response_chunked_old_proto',
    ),
    answers(
      'a chunk without a length',
      fields('Transfer-Encoding: chunked', 'zzzzzzzz\r\nhi\r\n0\r\n\r\n'),
      'invalid_response_chunk_len',
    ),
    answers(
      'a chunk with an extension',
      fields('Transfer-Encoding: chunked', '2;x\r\nhi\r\n0\r\n\r\n'),
      'request_chunk_extension',
    ),
    answers(
      'ranges without a length',
      fields('Content-Type: multipart/byteranges; boundary=x'),
      'response_multipart_byteranges',
    ),
    answers('ranges with a length', fields('Content-Type: multipart/byteranges; boundary=x\r\nContent-Length: 2')),
    answers('gzip', zipped(gz)),
    answers('gzip that is none', zipped(bytes('0123456789')), 'gzip_decompression_failed'),
    answers(
      'gzip broken inside',
      zipped(Buffer.concat([gz.subarray(0, 10), Buffer.alloc(20, 0xff)])),
      'gzip_decompression_failed',
    ),
    answers('gzip that is cut', zipped(gz.subarray(0, -12))),
    answers('an unknown encoding', fields('Content-Encoding: foo\r\nContent-Length: 2'), 'abnormal_ce_header'),
    answers(
      'brotli, which Suricata does not know',
      fields('Content-Encoding: br\r\nContent-Length: 2'),
      'abnormal_ce_header',
    ),
    answers(
      'three encodings',
      zipped(bytes('hi'), 'gzip, gzip, gzip'),
      'gzip_decompression_failed',
      'too_many_encoding_layers',
    ),
    answers('a bomb', zipped(bomb, 'gzip, gzip'), 'compression_bomb'),
    answers('much of one byte', zipped(gzipSync(Buffer.alloc(3_000_000)))),
    answers('a range', range('bytes 2-4/9')),
    answers('a range of all', range('bytes 0-4/5')),
    answers('a range without a size', range('bytes 2-4/*')),
    answers('a range that ends first', range('bytes 5-1/9'), 'range_invalid'),
    answers('a range that ends behind', range('bytes 0-9/5'), 'range_invalid'),
    answers('a range that is none', range('bytes x'), 'range_invalid'),
  ]);
  const early: Message[] = [
    [0, GET],
    [1, OK],
    [0, 'GET /x'],
    [1, OK],
  ];
  testEvents([{ name: 'an answer before the first line is there', said: early, events: ['request_line_incomplete'] }]);
});
