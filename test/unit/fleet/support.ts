import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { FleetMember, FleetRole } from '../../../src/contract/fleet.js';
import type { SignedRoster } from '../../../src/contract/ipc.js';
import type { Decision } from '../../../src/domain/decision.js';
import { createSealer, type Sealer } from '../../../src/fleet/seal.js';
import { createTrust, ROSTER_PURPOSE, type Trust } from '../../../src/fleet/trust.js';
import { sampleDecision } from '../store/samples.js';

export const FLEET = 'acme';

function keyPair(): { key: KeyObject; base64: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return { key: privateKey, base64: publicKey.export({ type: 'spki', format: 'der' }).toString('base64') };
}

/** A small fleet: its members' pens, and rosters as the authority signs them. */
export function makeFleet(names: Readonly<Record<string, { role: FleetRole; site: string }>>) {
  const authority = keyPair();
  const pen = createSealer(FLEET, 'authority', authority.key);
  const keys = Object.fromEntries(Object.keys(names).map((name) => [name, keyPair()]));
  const members: FleetMember[] = Object.entries(names).map(([name, what]) => ({
    name,
    ...what,
    key: keys[name]!.base64,
  }));
  return {
    members,
    sealer: (name: string): Sealer => createSealer(FLEET, name, keys[name]!.key),
    stranger: (name: string): Sealer => createSealer(FLEET, name, keyPair().key),
    roster(serial: number, list: readonly FleetMember[] = members): SignedRoster {
      const text = JSON.stringify({ fleet: FLEET, serial, members: list });
      return { text, signature: pen.text(ROSTER_PURPOSE, text) };
    },
    trust(name: string, accept: 'all' | 'site' | 'servers' = 'all'): Trust {
      const self = { name, site: names[name]!.site };
      const trust = createTrust({ fleet: FLEET, authority: authority.base64, self, accept });
      trust.offer(this.roster(1));
      return trust;
    },
  };
}

export function aDecision(change: Partial<Decision> = {}): Decision {
  const nowMs = Date.now();
  return sampleDecision({
    createdMs: nowMs,
    durationSecs: 600,
    expiresMs: nowMs + 600_000,
    simulated: false,
    ...change,
  });
}
