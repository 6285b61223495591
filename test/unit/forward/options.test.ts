import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import {
  checkSiemOptions,
  openForwarder,
  PRESETS,
  siemOptionsSchema,
  type Problem,
  type SiemOptionsInput,
} from '../../../src/forward/index.js';
import { PRESET_NAMES } from '../../../src/forward/options.js';
import { resolveDestination } from '../../../src/forward/settings.js';
import { silentLogger } from '../../../src/util/logger.js';

type Destination = NonNullable<SiemOptionsInput['destinations']>[number];

const dir = mkdtempSync(join(tmpdir(), 'portcullis-options-'));
after(() => {
  rmSync(dir, { recursive: true, force: true });
});

function problemsOf(...destinations: Destination[]): Problem[] {
  return checkSiemOptions(siemOptionsSchema.parse({ destinations }), dir);
}

const tcp = { host: 'siem.example.net', port: 514 };

describe('siem options', () => {
  it('have working defaults', () => {
    const options = siemOptionsSchema.parse({});
    assert.equal(options.spool.max_bytes, 1024 ** 3);
    assert.equal(options.spool.max_age, 7 * 86400);
    assert.equal(options.aggregate.window, 60);
    assert.deepEqual(options.destinations, []);
  });

  it('refuse unknown keys, unknown presets and nonsense sizes, all at once', () => {
    const result = siemOptionsSchema.safeParse({
      spool: { max_bytes: 'a lot', colour: 1 },
      destinations: [{ name: 'A B', preset: 'splunk' }],
    });
    assert.equal(result.success, false);
    const text = result.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`).join('\n');
    assert.match(text, /spool.max_bytes must be a size/);
    assert.match(text, /colour/);
    assert.match(text, /destinations.0.preset/);
    assert.match(text, /destinations.0.name must be lower-case/);
  });

  it('give every preset a first format and protocol that make a complete destination', () => {
    for (const preset of PRESET_NAMES) {
      const [protocol] = PRESETS[preset].protocols;
      const isSyslog = ['udp', 'tcp', 'tls', 'relp'].includes(protocol!);
      const isHttp = ['hec', 'bulk', 'otlp', 'webhook'].includes(protocol!);
      const destination: Destination = {
        name: 'a',
        preset,
        ...(isSyslog ? { transport: tcp } : {}),
        ...(isHttp ? { url: 'https://siem.example.net', token: 'x' } : {}),
        ...(protocol === 'nats' ? { url: 'tls://nats.example.net:4222' } : {}),
        ...(protocol === 'file' ? { path: 'events.json' } : {}),
      };
      assert.deepEqual(problemsOf(destination), [], preset);
    }
  });

  const conflicts: [string, Destination, RegExp, RegExp][] = [
    ['newlines to a syslog() source of syslog-ng', { name: 'a', preset: 'syslog-ng', transport: { ...tcp, framing: 'newline' } }, /silently loses/, /octet/],
    ['octet counting to QRadar', { name: 'a', preset: 'qradar', transport: { ...tcp, framing: 'octet' } }, /misreads/, /newline/],
    ['framing over UDP', { name: 'a', preset: 'rsyslog', transport: { ...tcp, protocol: 'udp', framing: 'octet' } }, /frames messages by itself/, /Remove/],
    ['RELP to Splunk', { name: 'a', preset: 'splunk-hec', url: 'http://x', token: 't', transport: { protocol: 'relp' } }, /does not speak relp/, /hec/],
    ['LEEF to Elasticsearch', { name: 'a', preset: 'elastic', url: 'http://x', format: 'leef' }, /does not read leef/, /ecs/],
    ['bare CEF after RFC 3164 to rsyslog', { name: 'a', preset: 'rsyslog', transport: { ...tcp, header: 'rfc3164', tag: false } }, /cut it off/, /tag: true/],
    ['no host', { name: 'a', preset: 'rsyslog' }, /No receiver/, /transport.host/],
    ['no URL', { name: 'a', preset: 'otlp' }, /No receiver/, /url/],
    ['no token', { name: 'a', preset: 'splunk-hec', url: 'http://x' }, /token is missing/, /token_file/],
    ['a token file that does not exist', { name: 'a', preset: 'splunk-hec', url: 'http://x', token_file: 'nope' }, /cannot be read/, /token_file/],
    ['TLS options without TLS', { name: 'a', preset: 'rsyslog', transport: tcp, tls: { ca: 'x' } }, /not encrypted/, /protocol tls/],
    ['an unreadable certificate', { name: 'a', preset: 'rsyslog', transport: { ...tcp, protocol: 'tls' }, tls: { ca: '/nonexistent/ca.pem' } }, /Cannot read/, /rights/],
    ['a certificate without its key', { name: 'a', preset: 'rsyslog', transport: { ...tcp, protocol: 'tls' }, tls: { cert: 'x.pem' } }, /needs its key/, /both/],
    ['a size that holds no event', { name: 'a', preset: 'rsyslog', transport: tcp, max_message_bytes: 100 }, /hold no event/, /480/],
    ['a file in a directory that does not exist', { name: 'a', preset: 'file', path: '/nonexistent/x/eve.json' }, /not writable/, /Create/],
    ['no file', { name: 'a', preset: 'file' }, /No file/, /path/],
  ]; // prettier-ignore
  for (const [title, destination, message, fix] of conflicts) {
    it(`refuse ${title}, and say what to do`, () => {
      const found = problemsOf(destination).find((problem) => message.test(problem.message));
      assert.ok(found, JSON.stringify(problemsOf(destination)));
      assert.match(found.fix, fix);
      assert.match(found.path, /^siem\.destinations\[0\]\./);
    });
  }

  it('refuse a file that is no certificate and a key of another certificate', () => {
    writeFileSync(join(dir, 'bad.pem'), 'hello');
    const problems = problemsOf({
      name: 'a',
      preset: 'rsyslog',
      transport: { ...tcp, protocol: 'tls' },
      tls: { ca: 'bad.pem', cert: 'bad.pem', key: 'bad.pem' },
    });
    assert.deepEqual(problems.map((problem) => problem.path.split('.').at(-1)).sort(), ['ca', 'cert', 'key']);
  });

  it('refuse the same name twice', () => {
    const one: Destination = { name: 'a', preset: 'rsyslog', transport: tcp };
    assert.match(problemsOf(one, one)[0]!.message, /used twice/);
  });

  it('stop the forwarder with every problem at once, before anything is opened', async () => {
    writeFileSync(join(dir, 'plain'), '');
    const options = siemOptionsSchema.parse({
      spool: { dir: join(dir, 'plain', 'spool') },
      destinations: [
        { name: 'a', preset: 'rsyslog' },
        { name: 'b', preset: 'otlp' },
      ],
    });
    const deps = { dataDir: dir, log: silentLogger, now: () => Date.now(), hostName: 'fw1' };
    await assert.rejects(
      openForwarder(options, deps),
      (error: Error & { code: string; context: { problems: Problem[] } }) => {
        assert.equal(error.code, 'siem.options');
        assert.deepEqual(
          error.context.problems.map((problem) => problem.path),
          ['siem.spool.dir', 'siem.destinations[0].transport.host', 'siem.destinations[1].url'],
        );
        return true;
      },
    );
  });

  it('resolve what the preset and the protocol imply', () => {
    const resolve = (destination: Destination): ReturnType<typeof resolveDestination> =>
      resolveDestination(siemOptionsSchema.parse({ destinations: [destination] }).destinations[0]!, dir);
    assert.equal(resolve({ name: 'a', preset: 'rsyslog', transport: tcp }).framing, 'newline');
    assert.equal(resolve({ name: 'a', preset: 'rsyslog', transport: { ...tcp, protocol: 'tls' } }).framing, 'octet');
    assert.equal(resolve({ name: 'a', preset: 'syslog-ng', transport: tcp }).framing, 'octet');
    assert.equal(resolve({ name: 'a', preset: 'qradar', transport: tcp }).header, 'rfc3164');
    assert.equal(resolve({ name: 'a', preset: 'qradar', transport: tcp }).format, 'leef');
    assert.equal(
      resolve({ name: 'a', preset: 'rsyslog', transport: { ...tcp, protocol: 'udp' } }).maxMessageBytes,
      1400,
    );
  });
});
