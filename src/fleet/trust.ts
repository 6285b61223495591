import { createHash, type KeyObject } from 'node:crypto';
import { rosterSchema, type FleetMember, type Roster } from '../contract/fleet.js';
import type { SignedRoster } from '../contract/ipc.js';
import type { Decision } from '../domain/decision.js';
import type { FleetOptions } from './options.js';
import { idOf, isSigned, proofOf, statementText, toPublicKey, type ProvenDecision, type Statement } from './seal.js';

/** First line of what the authority signs. */
export const ROSTER_PURPOSE = 'portcullis roster 1';

export interface TrustInput {
  fleet: string;
  /** Ed25519 public key of the authority: the root of trust. */
  authority: string;
  self: { name: string; site: string };
  accept: FleetOptions['accept'];
}

/** Who may say what. The same rules hold where decisions come in and, again, at the responder. */
export interface Trust {
  /** Takes over a roster. @returns why not: forged, of another fleet, or not newer. */
  offer(signed: SignedRoster): string | undefined;
  roster(): { signed: SignedRoster; roster: Roster } | undefined;
  member(name: string): FleetMember | undefined;
  /** True when the statement is meant for this member at all. */
  concerns(statement: Statement): boolean;
  /** @returns why a statement does not count here, or undefined. */
  refuse(statement: Statement): string | undefined;
  /** As {@link refuse}, for what a server hands to its responder: there must be a proof. */
  refuseDecision(decision: Decision): string | undefined;
  /** A text with a purpose that a member must have signed. */
  isFrom(name: string, purpose: string, text: string, signature: string): boolean;
}

/** Signatures that were found good: a list of 100,000 decisions that comes again is not checked again. */
const MAX_REMEMBERED = 250_000;

export function createTrust({ fleet, authority, self, accept }: TrustInput): Trust {
  const root = toPublicKey(authority);
  let current: { signed: SignedRoster; roster: Roster } | undefined;
  let members = new Map<string, { member: FleetMember; key: KeyObject | undefined }>();
  let good = new Map<string, string>();

  function refuseMeaning(statement: Statement): string | undefined {
    const { issuer, signer } = proofOf(statement);
    const by = members.get(signer);
    if (!by) return `"${signer}" is not a member of the fleet`;
    if (signer !== issuer && by.member.role !== 'server') return `${signer} may not speak for ${issuer}`;
    if (!members.has(issuer) && by.member.role !== 'server') return `"${issuer}" is not a member of the fleet`;
    if (!concerns(statement)) return `it is for ${proofOf(statement).reach}`;
    if (signer === self.name || accept === 'all' || by.member.role === 'server') return undefined;
    if (accept === 'site' && by.member.site === self.site) return undefined;
    return `decisions of ${signer} are not accepted here (fleet.accept)`;
  }

  function concerns(statement: Statement): boolean {
    const { reach } = proofOf(statement);
    return reach === 'all' || reach === `site:${self.site}` || reach === `box:${self.name}`;
  }

  function refuse(statement: Statement): string | undefined {
    const wrong = refuseMeaning(statement);
    if (wrong !== undefined) return wrong;
    const { signer, signature } = proofOf(statement);
    const key = members.get(signer)?.key;
    const text = statementText(fleet, statement);
    const print = createHash('sha256').update(text).update(signature).update(signer).digest('base64');
    if (good.get(idOf(statement)) === print) return undefined;
    if (!key || !isSigned(text, signature, key)) return `its signature is not that of ${signer}`;
    if (good.size >= MAX_REMEMBERED) good = new Map();
    good.set(idOf(statement), print);
    return undefined;
  }

  return {
    offer(signed) {
      if (!root || !isSigned(`${ROSTER_PURPOSE}\n${fleet}\n${signed.text}`, signed.signature, root)) {
        return 'the authority of the fleet has not signed it';
      }
      const parsed = rosterSchema.safeParse(parseJson(signed.text));
      if (!parsed.success || parsed.data.fleet !== fleet) return 'it is not a roster of this fleet';
      const roster = parsed.data;
      if (current && roster.serial <= current.roster.serial) return 'it is not newer';
      current = { signed, roster };
      members = new Map(roster.members.map((member) => [member.name, { member, key: toPublicKey(member.key) }]));
      good = new Map();
      return undefined;
    },
    roster: () => current,
    member: (name) => members.get(name)?.member,
    concerns,
    refuse,
    refuseDecision(decision) {
      if (!decision.proof) return 'it is not signed';
      return refuse({ state: 'active', decision: decision as ProvenDecision });
    },
    isFrom(name, purpose, text, signature) {
      const key = members.get(name)?.key;
      return key !== undefined && isSigned(`${purpose}\n${fleet}\n${text}`, signature, key);
    },
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
