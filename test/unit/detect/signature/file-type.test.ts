import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileType } from '../../../../src/detect/signature/file-type.js';
import { inRange } from '../../../../src/detect/signature/parse/number.js';
import { compile } from './rules.js';

function executable(machine: number, magic: number, traits: number, subsystem: number): string {
  const d = Buffer.alloc(600);
  d.write('MZ');
  d.writeUInt32LE(0x80, 0x3c);
  d.write('PE\0\0', 0x80, 'latin1');
  d.writeUInt16LE(machine, 0x84);
  d.writeUInt16LE(traits, 0x96);
  d.writeUInt16LE(magic, 0x98);
  d.writeUInt16LE(subsystem, 0x80 + 24 + 68);
  return d.toString('latin1');
}

for (const [bytes, name] of [
  ['%PDF-1.7\n', 'PDF document'],
  ['\x7fELF\x02', 'ELF'],
  ['GIF89a', 'GIF image data'],
  ['PK\x03\x04', 'Zip archive data'],
  [`MZ${'\0'.repeat(24)}`, 'MS-DOS executable'],
  ['MZ', 'ASCII text'],
  [executable(0x14c, 0x10b, 0x102, 2), 'PE32 executable (GUI) Intel 80386, for MS Windows'],
  [executable(0x8664, 0x20b, 0x2102, 3), 'PE32+ executable (DLL) (console) x86-64, for MS Windows'],
  [`${'\0'.repeat(257)}ustar`, 'POSIX tar archive'],
  ['\n<!DOCTYPE html>', 'HTML document, ASCII text'],
  ['#!/bin/sh\n', 'POSIX shell script, ASCII text executable'],
  ['#!/usr/bin/env python\n', 'Python script text executable'],
  ['<?php 1;', 'PHP script, ASCII text'],
  ['PDF and GIF are words', 'ASCII text'],
  ['\x01\x02', 'data'],
  ['', 'data'],
] as const) {
  test(`a file that begins with ${JSON.stringify(bytes.slice(0, 12))} is ${name}`, () => {
    assert.equal(fileType(Buffer.from(bytes, 'latin1')), name);
  });
}

test('file.magic is made of the file, and filemagic looks into it', () => {
  for (const options of ['file.magic; content:"PDF";', 'filemagic:"PDF";']) {
    const [inspection] = compile(`alert http any any -> any any (${options} sid:1;)`).buffers;
    assert.equal(inspection?.buffer.made?.of, 'file.data');
    assert.equal(Buffer.from(inspection!.buffer.made!.by(Buffer.from('%PDF-'))).toString(), 'PDF document');
  }
});

test('alert takes noalert back', () => {
  assert.equal(compile('alert tcp any any -> any any (noalert; alert; sid:1;)').noalert, false);
});

test('indications of DNP3 ask for any of several bits', () => {
  const [wanted] = compile(
    'alert dnp3 any any -> any any (dnp3_ind:device_restart,need_time; sid:1;)',
  ).transactionTests;
  assert.deepEqual([0x8000, 0x1000, 0x4000, 0].map((n) => inRange(wanted!.range!, n)), [true, true, false, false]); // prettier-ignore
});
