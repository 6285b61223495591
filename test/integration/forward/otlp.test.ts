import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { fc } from '../../support/fuzz.js';
import type { SiemEvent } from '../../../src/domain/siem-event.js';
import { FORMATTERS } from '../../../src/forward/index.js';
import { siemOptionsSchema } from '../../../src/forward/options.js';
import { resolveDestination } from '../../../src/forward/settings.js';
import { createOtlpDialect } from '../../../src/forward/transports/otlp.js';
import { hostileEvent } from '../../unit/forward/support/hostile.js';
import { CONTEXT, SAMPLES } from '../../unit/forward/support/samples.js';

/** A Python with `opentelemetry-proto`, the official definitions. */
const PYTHON = process.env['PORTCULLIS_OTLP_PYTHON'] ?? 'python3';
const CHECK = fileURLToPath(new URL('support/otlp-check.py', import.meta.url));
const hasProtobuf = spawnSync(PYTHON, ['-c', 'import opentelemetry.proto.logs.v1.logs_pb2']).status === 0;
const skip = hasProtobuf ? false : 'set PORTCULLIS_OTLP_PYTHON to a Python with the package opentelemetry-proto';

interface Read {
  error?: string;
  records: number;
  times: number[];
  severities: number[];
  ids: string[];
}

const read = (bodies: readonly string[]): Read[] =>
  spawnSync(PYTHON, [CHECK], { input: `${bodies.join('\n')}\n`, encoding: 'utf8', maxBuffer: 1 << 28 })
    .stdout.split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Read);

const dialect = () => {
  const options = siemOptionsSchema.parse({
    destinations: [{ name: 'a', preset: 'otlp', url: 'http://127.0.0.1:4318' }],
  });
  const settings = resolveDestination(options.destinations[0]!, '/');
  return createOtlpDialect(settings, { hostName: 'fw1', productVersion: '1.2.3' });
};
const encode = (events: readonly SiemEvent[]): string =>
  dialect().encode(events.map((event) => ({ event, body: FORMATTERS.otlp(event, CONTEXT) })));

describe('OTLP logs read with the official protobuf definitions', { skip }, () => {
  it('every sample and 500 hostile events are records with their time, severity and id', () => {
    const events = [...Object.values(SAMPLES), ...fc.sample(hostileEvent, { numRuns: 500, seed: 5 })];
    const [all] = read([encode(events)]);
    assert.equal(all?.error, undefined);
    assert.equal(all?.records, events.length);
    assert.deepEqual(all.times.map((t) => Math.round(t / 1e6)), events.map((e) => e.tsMs)); // prettier-ignore
    assert.ok(all.severities.every((s) => s >= 1 && s <= 24));
    assert.deepEqual(all.ids, events.map((e) => e.id)); // prettier-ignore
  });

  it('the reading notices a wrong name, a number for a 64-bit time that is none, and an enum by another name', () => {
    const good = encode([SAMPLES['alert'] ?? Object.values(SAMPLES)[0]!]);
    const faults = [
      good.replace('"logRecords"', '"log_recordz"'),
      good.replace(/"timeUnixNano":"(\d+)"/, '"timeUnixNano":"x$1"'),
      good.replace(/"severityNumber":(\d+)/, '"severityNumber":"BAD"'),
    ];
    for (const [i, result] of read(faults).entries()) assert.ok(result.error, `fault ${i}: ${JSON.stringify(result)}`);
  });
});
