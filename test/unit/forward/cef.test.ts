import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fc } from '../../support/fuzz.js';
import type { SiemEvent } from '../../../src/domain/siem-event.js';
import { cefHeader, cefValue, formatCef } from '../../../src/forward/formats/cef.js';
import { FORMATTERS, type Formatter } from '../../../src/forward/index.js';
import { differences, MUTANTS, mutantFormatter } from './support/cef-differences.js';
import { parseCef, type ParsedCef } from './support/cef-parser.js';
import { hostileEvent } from './support/hostile.js';
import { ALERT_IPV6, BLOCK, CONTEXT, SAMPLES } from './support/samples.js';

/** A full run: PORTCULLIS_HOSTILE_EVENTS=20000. */
const RUNS = Number(process.env['PORTCULLIS_HOSTILE_EVENTS'] ?? 2000);

/** How many of the events a reader of the standard gets back wrong. */
function countWrong(format: Formatter, events: readonly SiemEvent[]): number {
  let wrong = 0;
  for (const event of events) {
    try {
      if (differences(event, parseCef(format(event, CONTEXT))).length > 0) wrong++;
    } catch {
      wrong++;
    }
  }
  return wrong;
}

describe('CEF', () => {
  const table: readonly [string, string, string][] = [
    ['plain', 'plain', 'plain'],
    ['a|b', 'a\\|b', 'a|b'],
    ['a=b', 'a=b', 'a\\=b'],
    ['a\\b', 'a\\\\b', 'a\\\\b'],
    ['a\nb', 'a b', 'a\\nb'],
    ['a\r\nb', 'a b', 'a\\r\\nb'],
    ['a\tb', 'a b', 'a b'],
    ['  a  ', 'a', 'a'],
    ['\u001b[31mred\u001b[0m', 'red', 'red'],
    ['\u0000\u0007', '', ''],
    ['x\ud800y', 'x\ufffdy', 'x\ufffdy'],
  ];
  for (const [input, header, value] of table) {
    it(`writes ${JSON.stringify(input)} as ${JSON.stringify(header)} in the header and ${JSON.stringify(value)} as a value`, () => {
      assert.equal(cefHeader(input, 100), header);
      assert.equal(cefValue(input, 100), value);
    });
  }

  it('cuts long values between characters, never between surrogates', () => {
    assert.equal(cefValue(`${'a'.repeat(9)}🦀`, 10), 'a'.repeat(9));
    assert.equal(cefHeader(`${'a'.repeat(8)}🦀`, 10), `${'a'.repeat(8)}🦀`);
  });

  it('starts the extension with rt and ends it with msg', () => {
    for (const event of Object.values(SAMPLES)) {
      const keys = [...parseCef(formatCef(event, CONTEXT)).extensions.keys()];
      assert.equal(keys[0], 'rt');
      if (keys.includes('msg')) assert.equal(keys.at(-1), 'msg');
    }
  });

  it('sends IPv6 in the common key and in the key of the standard', () => {
    const { extensions } = parseCef(formatCef(ALERT_IPV6, CONTEXT));
    assert.equal(extensions.get('src'), '2001:db8::dead:beef');
    assert.equal(extensions.get('c6a2'), '2001:db8::dead:beef');
    assert.equal(extensions.get('c6a3Label'), 'Destination IPv6 Address');
  });

  it('adds the MITRE keys in version 1 only', () => {
    const alert = SAMPLES['alert']!;
    assert.equal(parseCef(formatCef(alert, CONTEXT)).extensions.get('threatAttackID'), undefined);
    const one = parseCef(formatCef(alert, { ...CONTEXT, cefVersion: 1 }));
    assert.equal(one.version, 1);
    assert.equal(one.extensions.get('threatAttackID'), 'T1046');
    assert.equal(one.extensions.get('frameworkName'), 'MITRE ATT&CK');
  });

  it('puts no prefix into src', () => {
    const { extensions } = parseCef(formatCef({ ...BLOCK, target: '198.51.100.0/24', scope: 'cidr' }, CONTEXT));
    assert.equal(extensions.get('src'), undefined);
    assert.equal(extensions.get('cs2'), '198.51.100.0/24');
  });

  it('uses known keys with values of their type and length for every sample', () => {
    for (const [title, event] of Object.entries(SAMPLES)) {
      assert.deepEqual(
        differences(event, parseCef(formatCef(event, CONTEXT))).filter((d) => !/^(cs6|name)/.test(d)),
        [],
        title,
      );
    }
  });

  it(`${RUNS} hostile events come back from a strict reader as they went in`, () => {
    fc.assert(
      fc.property(hostileEvent, (event) => {
        assert.deepEqual(differences(event, parseCef(formatCef(event, CONTEXT))), []);
      }),
      { numRuns: RUNS },
    );
  });

  it('the strict reader notices each of four faults in the escaping', async () => {
    const events = fc.sample(hostileEvent, { numRuns: 300, seed: 7 });
    assert.equal(countWrong(FORMATTERS.cef, events), 0);
    for (const [fault, replace] of MUTANTS) {
      const wrong = countWrong(await mutantFormatter(replace), events);
      assert.ok(wrong > 20, `${fault}: only ${wrong} of 300 noticed`);
    }
  });
});

/** Runs lines through liblognorm's CEF parser. */
function lognormalize(lines: readonly string[]): (Record<string, unknown> | undefined)[] {
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-lognorm-'));
  try {
    writeFileSync(join(dir, 'cef.rb'), 'version=2\nrule=:%f:cef%\n');
    const run = spawnSync('lognormalizer', ['-r', join(dir, 'cef.rb'), '-e', 'json'], {
      input: `${lines.join('\n')}\n`,
      encoding: 'utf8',
      maxBuffer: 256 * 1024 * 1024,
    });
    return run.stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => (JSON.parse(line) as { f?: Record<string, unknown> }).f);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function countLognormWrong(format: Formatter, events: readonly SiemEvent[]): number {
  const lines = events.map((event) => format(event, CONTEXT));
  const parsed = lognormalize(lines);
  let wrong = 0;
  events.forEach((event, i) => {
    const f = parsed[i];
    const extensions = f?.['Extensions'] as Record<string, string> | undefined;
    if (!f || !extensions) {
      wrong++;
      return;
    }
    const asParsed: ParsedCef = {
      version: 0,
      header: { vendor: '', product: '', version: '', classId: '', name: String(f['Name']), severity: '' },
      // liblognorm up to 2.0.6 eats the first letter of the first key, which is why that key is rt.
      extensions: new Map(Object.entries(extensions).filter(([key]) => key !== 't' && key !== 'rt')),
    };
    if (differences(event, asParsed).length > 0) wrong++;
  });
  return wrong;
}

const hasLognorm = spawnSync('lognormalizer', ['-V']).error === undefined;

describe(
  'CEF read by liblognorm',
  { skip: hasLognorm ? false : 'lognormalizer is not installed (Debian: liblognorm-utils)' },
  () => {
    const events = hasLognorm ? fc.sample(hostileEvent, { numRuns: RUNS, seed: 11 }) : [];

    it(`${RUNS} hostile events come back as they went in`, () => {
      assert.equal(countLognormWrong(FORMATTERS.cef, events), 0);
    });

    it('each of four faults in the escaping is noticed', async () => {
      for (const [fault, replace] of MUTANTS) {
        const wrong = countLognormWrong(await mutantFormatter(replace), events.slice(0, 300));
        assert.ok(wrong > 20, `${fault}: only ${wrong} of 300 noticed`);
      }
    });
  },
);
