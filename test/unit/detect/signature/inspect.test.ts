import assert from 'node:assert/strict';
import { test } from 'node:test';
import { payloadMatches } from './rules.js';

/** options, text that matches, text that does not */
const CASES: readonly (readonly [string, string, string])[] = [
  ['content:"abc";', 'xxabc', 'xxABC'],
  // BER: as Suricata 7.0.10 fires for datagrams with these bytes.
  ['asn1:oversize_length 3;', '\x04\x04abcd', '\x04\x03abc'],
  ['asn1:oversize_length 3;', '\x30\x04\x05\0\x05\0', '\x04\x30abcd'],
  ['asn1:oversize_length 3;', '\x30\x80\x04\x04abcd\0\0', '\x04\x80abcd\0\0'],
  ['asn1:oversize_length 3;', '\x02\x01\x01\x04\x04abcd', '\x01\x02\x01\x01\x04\x04abcd'],
  ['asn1:bitstring_overflow;', '\x03\x02\x64a', '\x03\x02\x09a'],
  [`asn1:double_overflow;`, `\x09\x82\x01\x2c\x03${'x'.repeat(299)}`, `\x09\x82\x01\x2c\x80${'x'.repeat(299)}`],
  ['asn1:oversize_length 3, absolute_offset 2;', '--\x04\x04abcd', '\x04\x04abcd'],
  ['content:"--"; asn1:oversize_length 3, relative_offset 1;', '-- \x04\x04abcd', '--\x04\x04abcd'],
  ['content:"abc"; nocase;', 'xxABc', 'xxab'],
  ['content:!"abc";', 'xab', 'xabc'],
  ['content:"|61 62|c";', 'xabc', 'xab c'],
  ['content:"abc"; depth:3;', 'abcd', 'xabc'],
  ['content:"abc"; offset:1;', 'xabc', 'abcx'],
  ['content:"abc"; offset:1; depth:4;', 'xyabc', 'xyzabc'],
  ['content:"abc"; startswith;', 'abcabc', 'xabc'],
  ['content:"abc"; endswith;', 'xabc', 'abcx'],
  ['content:"abc"; endswith;', 'abcabc', 'abcab'],
  ['content:!"abc"; endswith;', 'abcx', 'xabc'],
  ['content:"abc"; startswith; endswith;', 'abc', 'abcabc'],
  ['content:"a"; content:"b"; distance:0;', 'a-b', 'b-a'],
  ['content:"a"; content:"b"; distance:2;', 'axxb', 'axb'],
  ['content:"a"; content:"b"; within:1;', 'ab', 'axb'],
  ['content:"a"; content:"b"; distance:1; within:1;', 'axb', 'axxb'],
  // Only the second "a" is followed closely: the first match must be given up.
  ['content:"a"; content:"b"; within:1;', 'axxab', 'axxa-b'],
  ['content:"a"; content:"b"; within:2; content:"c"; within:2;', 'a-b--a-b-c', 'a-b--a--b-c'],
  ['content:"abc"; content:"a"; distance:-3; within:1;', 'xabc', 'xab'],
  ['content:"a"; content:!"b"; within:1;', 'ac', 'ab'],
  ['content:"a"; isdataat:2,relative;', 'axx', 'ax'],
  ['content:"a"; isdataat:!1,relative;', 'xa', 'xa-'],
  ['isdataat:3;', 'abcd', 'abc'],
  ['pcre:"/a.c/";', 'xabc', 'xa\nc'],
  ['pcre:"/a.c/s";', 'xa\nc', 'xac'],
  ['pcre:"/ABC/i";', 'xabc', 'xab'],
  ['pcre:!"/abc/";', 'xab', 'xabc'],
  ['pcre:"/^abc/m";', 'x\nabc', 'x\rabc'],
  ['pcre:"/abc$/";', 'abc\n', 'abc\n\n'],
  ['pcre:"/abc$/E";', 'abc', 'abc\n'],
  ['content:"a"; pcre:"/^b/R";', 'xab', 'xacb'],
  ['content:"a"; pcre:"/^b/R"; content:"c"; within:1;', 'ab-abc', 'ab-ab-c'],
  ['pcre:"/a\\d/"; content:"b"; within:1;', 'a1-a2b', 'a1-a2-b'],
  ['byte_test:1,=,5,0;', '\x05', '\x06'],
  ['byte_test:2,>,256,0;', '\x01\x01', '\x01\x00'],
  ['byte_test:2,=,1,0,little;', '\x01\x00', '\x00\x01'],
  ['byte_test:1,!&,0x80,0;', '\x7f', '\x80'],
  ['byte_test:3,=,123,0,string,dec;', '123', '124'],
  ['byte_test:2,=,255,0,string,hex;', 'ff', 'fe'],
  ['byte_test:1,=,0x9,0,bitmask 0xf8;', '\x48', '\x40'],
  ['content:"n="; byte_test:1,=,7,0,relative,string,dec;', 'n=7', 'n=8'],
  [
    'byte_math:bytes 1, offset 0, oper +, rvalue 9, result r, bitmask 0xf0; content:"b"; offset:r; depth:1;',
    '\x37xxxb',
    '\x36xxxb',
  ],
  ['byte_jump:1,0; content:"b"; distance:0; within:1;', '\x02xxb', '\x02xb'],
  ['byte_jump:1,0,multiplier 2; content:"b"; distance:0; within:1;', '\x01xxb', '\x01xb'],
  ['byte_jump:1,0,align; content:"b"; distance:0; within:1;', '\x01xxxxb', '\x01xb'],
  ['byte_jump:1,0,from_beginning; content:"b"; distance:0; within:1;', '\x02xb', '\x02bx'],
  ['byte_jump:1,0,from_beginning,post_offset 1; content:"b"; distance:0; within:1;', '\x02xxb', '\x02xb'],
  ['byte_extract:1,0,n; content:"b"; offset:n; depth:1;', '\x03xxb', '\x03xb'],
  ['byte_extract:1,0,n; content:"a"; content:"b"; distance:n; within:1;', '\x02axxb', '\x02axb'],
  ['byte_extract:1,0,n; byte_test:1,=,n,1;', '\x03\x03', '\x03\x04'],
  ['byte_extract:1,0,n; isdataat:!n;', '\x03ab', '\x03abc'],
  ['byte_math:bytes 1, offset 0, oper +, rvalue 2, result s; byte_test:1,=,s,1;', '\x03\x05', '\x03\x04'],
  ['byte_math:bytes 1, offset 0, oper <<, rvalue 1, result s; byte_test:1,=,s,1;', '\x03\x06', '\x03\x05'],
  ['base64_decode:bytes 8, offset 2; base64_data; content:"hello";', 'x=aGVsbG8=', 'x=aGVsbE8='],
  ['content:"x="; base64_decode:relative; base64_data; content:"hello";', 'x=aGVsbG8=', 'y=aGVsbG8='],
];

for (const [options, hit, miss] of CASES) {
  test(`${options} matches ${JSON.stringify(hit)} and not ${JSON.stringify(miss)}`, () => {
    assert.equal(payloadMatches(options, hit), true);
    assert.equal(payloadMatches(options, miss), false);
  });
}

test('offset and depth count from the beginning of the stream, not of what is kept of it', () => {
  assert.equal(payloadMatches('content:"abc"; depth:3;', 'abc', 0), true);
  assert.equal(payloadMatches('content:"abc"; depth:3;', 'abc', 10), false);
  assert.equal(payloadMatches('content:"abc"; offset:10; depth:3;', 'abc', 10), true);
});

test('contents that could be tried in endless combinations end after a bounded number of steps', () => {
  const options = Array.from({ length: 12 }, () => 'content:"a"; distance:0;').join(' ');
  const started = performance.now();
  assert.equal(payloadMatches(`content:"a"; ${options} content:"b"; within:1;`, 'a'.repeat(4000)), false);
  assert.ok(performance.now() - started < 20_000);
});

test('no byte behind a content is its end: of one that is unwanted, that it is not there', () => {
  assert.equal(payloadMatches('content:"b"; isdataat:!1,relative;', 'abab'), true);
  assert.equal(payloadMatches('content:"a"; isdataat:!1,relative;', 'abab'), false);
  assert.equal(payloadMatches('content:!"b"; isdataat:!1,relative;', 'aba'), true);
  assert.equal(payloadMatches('content:!"b"; isdataat:!1,relative;', 'ab'), false);
});
