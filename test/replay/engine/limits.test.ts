import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { T0 } from '../../unit/support/packets.js';
import { replay } from '../rules/traffic.js';
import { LIMITS, LIMITS_TRAFFIC, limitsFiles } from './limits-traffic.js';

const folder = mkdtempSync(join(tmpdir(), 'limits-'));
after(() => {
  rmSync(folder, { recursive: true });
});

/** The seconds of each rule's alerts. */
function raisedBy(name: string): string[] {
  const files = limitsFiles();
  const [rules, threshold] = [join(folder, `${name}.rules`), join(folder, `${name}.config`)];
  writeFileSync(rules, files.rules);
  writeFileSync(threshold, files.config);
  const alerts = replay(LIMITS_TRAFFIC[name]!, [rules], { threshold, maxAlertsPerPacket: 250 });
  return LIMITS.map((_, i) =>
    alerts
      .filter((a) => a.signatureId === i + 1)
      .map(
        (a) =>
          `${Math.round((a.packetUs - T0) / 1000) / 1000}${a.metadata?.['rule_action']?.[0] === 'drop' ? 'd' : ''}`,
      )
      .join(' '),
  );
}

for (const name of Object.keys(LIMITS_TRAFFIC))
  describe(`alerts are limited as by Suricata, ${name}:`, () => {
    const raised = raisedBy(name);
    for (const [i, [options, line, wanted]] of LIMITS.entries())
      test(`${options} ${line}`, () => {
        assert.equal(raised[i], wanted[name]);
      });
  });

test('the traffic tells every two limits apart, but for the one that a rule and the file have alike', () => {
  const seen = LIMITS.map(([, , raised]) => JSON.stringify(raised));
  assert.equal(new Set(seen).size, LIMITS.length - 1);
});
