import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createFleetGate, type FleetGate } from '../../../src/daemons/fleet-gate.js';
import type { Decision, EnforcementReport } from '../../../src/domain/decision.js';
import type { ResponderIncident } from '../../../src/enforce/index.js';
import { enforceOptionsSchema } from '../../../src/enforce/options.js';
import { fleetOptionsSchema, initFleet } from '../../../src/fleet/index.js';
import { loadMember } from '../../../src/fleet/member.js';
import { silentLogger } from '../../../src/util/logger.js';
import { aDecision } from '../fleet/support.js';

const LIST = 1000;
const dir = mkdtempSync(join(tmpdir(), 'portcullis-gate-'));
after(() => rmSync(dir, { recursive: true }));
const authority = initFleet({
  ...{ dir: join(dir, 'fleet'), fleet: 'acme', nodes: [{ name: 'nats1', host: '192.0.2.1' }], nowMs: Date.now() },
  ports: { client: 4222, cluster: 6222, leaf: 7422 },
  natsFolder: join(dir, 'nats', '{node}'),
  storeDir: join(dir, 'store'),
  storeMiB: 64,
});
const folderOf = (name: string): string => join(dir, 'members', name);
for (const name of ['box2', 'box1']) authority.join({ name, role: 'box', site: 'hq', out: folderOf(name) });
const pen = loadMember(folderOf('box2'), fleetOptionsSchema.parse({}), join(dir, 'none')).sealer;
const signed = (): Decision => pen.decision(aDecision(), { issuer: 'box2', reach: 'all', version: 1 });
/** Another address under a good signature. */
const forged = (): Decision => ({ ...signed(), value: '198.51.100.200' });

let opened = 0;
function open(): { gate: FleetGate; refused: EnforcementReport[][]; incidents: ResponderIncident[] } {
  const refused: EnforcementReport[][] = [];
  const incidents: ResponderIncident[] = [];
  const config = {
    fleet: fleetOptionsSchema.parse({ folder: folderOf('box1') }),
    enforce: enforceOptionsSchema.parse({ state_dir: join(dir, `state${opened++}`) }),
  };
  const gate = createFleetGate(config, {
    log: silentLogger,
    refuse: (reports) => refused.push(reports),
    incident: (incident) => incidents.push(incident),
  });
  return { gate, refused, incidents };
}

/** How often the event loop goes round until the work is done. */
async function turnsOf(work: () => unknown): Promise<number> {
  let turns = 0;
  let isOver = false;
  const count = (): void => {
    turns++;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  await work();
  isOver = true;
  return turns;
}

test('while a long list is checked the event loop goes round, and a block that comes meanwhile does not wait', async () => {
  const { gate, refused } = open();
  const list = Array.from({ length: LIST }, signed);
  let isDone = false;
  const turns = await turnsOf(async () => {
    const admitted = gate.admitList(list).finally(() => (isDone = true));
    await turn();
    assert.equal(gate.admit(signed()), true);
    assert.equal(isDone, false, 'it was before the end of the list');
    assert.deepEqual(await admitted, list, 'all, in their order');
  });
  assert.deepEqual(refused, []);
  assert.ok(turns >= 7, `${turns} turns: one for every 128 at least`);
  const atOnce = open().gate;
  assert.equal(await turnsOf(() => list.forEach((d) => atOnce.admit(d))), 0, 'the control: one by one it does not');
});

test('of a list what is not signed rightly is refused, reported together and recorded once; the rest counts', async () => {
  const { gate, refused, incidents } = open();
  const [good, wrong, counted] = [signed(), forged(), aDecision({ simulated: true })];
  const unsigned = aDecision();
  assert.deepEqual(await gate.admitList([good, wrong, counted, unsigned]), [good, counted]);
  assert.deepEqual(
    refused.map((reports) => reports.map((r) => [r.decisionId, r.enforcement, r.error])),
    [
      [
        [wrong.id, 'rejected', 'not proved: its signature is not that of box2'],
        [unsigned.id, 'rejected', 'not proved: it is not signed'],
      ],
    ],
  );
  assert.deepEqual(
    incidents.map((i) => i.code),
    ['fleet.forged'],
  );
  assert.equal(gate.admit(forged()), false);
  assert.equal(refused.length, 2);
});
