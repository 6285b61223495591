import { createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import type { Decision, DecisionProof } from '../domain/decision.js';

export type ProvenDecision = Decision & { proof: DecisionProof };

/** What a member says about a decision. */
export type Statement =
  | { state: 'active'; decision: ProvenDecision }
  | {
      state: 'released';
      id: string;
      actor: string;
      reason: string;
      forgive: boolean;
      keepMs: number;
      proof: DecisionProof;
    };

type Claim = Omit<DecisionProof, 'signature'>;

/**
 * What a signature covers: the fleet, who says it and how far it reaches, and everything that decides what the kernel does
 * and what people read. Whether it is only counted is left to each box, which may always do less.
 */
function decisionText(fleet: string, d: Decision, claim: Claim): string {
  return JSON.stringify([
    'portcullis decision 1',
    fleet,
    ...claimFields(claim),
    ...[d.id, d.action, d.scope, d.value, d.traffic, d.proto ?? null, d.port ?? null],
    ...[d.peer ?? null, d.peerPort ?? null, d.durationSecs, d.createdMs, d.expiresMs],
    ...[d.origin, d.actor, d.policy ?? null, d.policyVersion ?? null, d.reason, d.step],
  ]);
}

function releaseText(fleet: string, s: Extract<Statement, { state: 'released' }>): string {
  return JSON.stringify([
    'portcullis release 1',
    fleet,
    ...claimFields(s.proof),
    ...[s.id, s.actor, s.reason, s.forgive, s.keepMs],
  ]);
}

function claimFields({ issuer, signer, reach, version }: Claim): unknown[] {
  return [issuer, signer, reach, version];
}

export function statementText(fleet: string, statement: Statement): string {
  return statement.state === 'active'
    ? decisionText(fleet, statement.decision, statement.decision.proof)
    : releaseText(fleet, statement);
}

export const idOf = (s: Statement): string => (s.state === 'active' ? s.decision.id : s.id);
export const proofOf = (s: Statement): DecisionProof => (s.state === 'active' ? s.decision.proof : s.proof);

/** Signs statements as one member (Ed25519, RFC 8032). */
export interface Sealer {
  decision(decision: Decision, claim: Omit<Claim, 'signer'>): ProvenDecision;
  release(
    release: Omit<Extract<Statement, { state: 'released' }>, 'proof' | 'state'>,
    claim: Omit<Claim, 'signer'>,
  ): Statement;
  /** Any other text, with a purpose that no other kind of text begins with. */
  text(purpose: string, text: string): string;
}

export function createSealer(fleet: string, signer: string, key: KeyObject): Sealer {
  const signed = (text: string): string => sign(null, Buffer.from(text), key).toString('base64');
  return {
    decision(decision, input) {
      const claim = { ...input, signer };
      return { ...decision, proof: { ...claim, signature: signed(decisionText(fleet, decision, claim)) } };
    },
    release(release, input) {
      const proof = { ...input, signer, signature: '' };
      const statement = { state: 'released' as const, ...release, proof };
      return { ...statement, proof: { ...proof, signature: signed(releaseText(fleet, statement)) } };
    },
    text: (purpose, text) => signed(`${purpose}\n${fleet}\n${text}`),
  };
}

/** A public key as rosters write it. @returns undefined when it is none. */
export function toPublicKey(base64: string): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: Buffer.from(base64, 'base64'), format: 'der', type: 'spki' });
    return key.asymmetricKeyType === 'ed25519' ? key : undefined;
  } catch {
    return undefined;
  }
}

export function isSigned(text: string, signature: string, key: KeyObject): boolean {
  return verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64'));
}

const verifyAside = promisify(verify);

/** As {@link isSigned}, in another thread. */
export function isSignedAside(text: string, signature: string, key: KeyObject): Promise<boolean> {
  return verifyAside(null, Buffer.from(text), key, Buffer.from(signature, 'base64')).catch(() => false);
}

/** What others need of a decision: nothing of what became of it here, and no names that mean nothing elsewhere. */
export function forTheWire(decision: Decision, proof: ProvenDecision['proof']): ProvenDecision {
  const { set: _set, error: _error, hitPackets: _p, hitBytes: _b, lastHitMs: _h, incidentId: _i, ...rest } = decision;
  return { ...rest, alertIds: [], enforcement: 'pending', trace: { ...decision.trace }, proof: { ...proof } };
}
