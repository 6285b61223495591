import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { replay } from '../rules/traffic.js';
import { NAMES_CASES } from './names-cases.js';
import { CERTIFICATE_SHA1, CLIENT_PORTS, NAMES_TRAFFIC } from './names-traffic.js';

const folder = mkdtempSync(join(tmpdir(), 'names-'));
after(() => {
  rmSync(folder, { recursive: true });
});

const fingerprint = CERTIFICATE_SHA1.match(/../g)!.join(':');
const CASES = NAMES_CASES.trim()
  .split('\n')
  .map((line) => /^(\S+) (.*) ->(?: (.*))?$/.exec(line)!)
  .map(([, proto, options, fired = '']) => ({ proto, options: options!, fired }));

/** For each rule the conversations that it fires for, `name*count` when more than once. */
function firedFor(): string[] {
  const file = join(folder, 'a.rules');
  const rules = CASES.map(({ proto, options }, i) => {
    const filled = options.replace('FPU', fingerprint.toUpperCase()).replace('FP', fingerprint);
    return `alert ${proto} any any -> any any (${filled}; sid:${i + 1};)`;
  });
  writeFileSync(file, rules.join('\n'));
  const alerts = replay(NAMES_TRAFFIC, [file], { maxAlertsPerPacket: 250 });
  return CASES.map((_, i) => {
    const own = alerts.filter((a) => a.signatureId === i + 1);
    return Object.entries(CLIENT_PORTS)
      .map(([name, port]) => ({ name, count: own.filter((a) => a.srcPort === port || a.dstPort === port).length }))
      .filter(({ count }) => count > 0)
      .map(({ name, count }) => (count === 1 ? name : `${name}*${count}`))
      .join(' ');
  });
}

describe('a rule with an older or aliased name fires for the conversations that Suricata fires for:', () => {
  const fired = firedFor();
  for (const [i, { proto, options, fired: expected }] of CASES.entries())
    test(`${proto} ${options}`, () => {
      assert.equal(fired[i], expected);
    });

  test('every conversation is fired for by some rule and left alone by another of its protocol', () => {
    for (const name of Object.keys(CLIENT_PORTS)) {
      const firing = CASES.filter((c) => c.fired.split(' ').some((f) => f.split('*')[0] === name));
      const protos = new Set(firing.map((c) => c.proto));
      const possible = CASES.filter((c) => protos.has(c.proto));
      assert.ok(firing.length > 0 && firing.length < possible.length, name);
    }
  });

  test('a rule that never fires has a like one that does', () => {
    const keyword = (options: string): string => options.split(/[:;]/)[0]!;
    const alive = new Set(CASES.filter((c) => c.fired !== '').map((c) => keyword(c.options)));
    const dead = [...new Set(CASES.map((c) => keyword(c.options)))].filter((name) => !alive.has(name));
    assert.deepEqual(dead, []);
  });
});
