import { createHash, type KeyObject } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { rosterSchema, type FleetMember, type Roster } from '../contract/fleet.js';
import type { SignedRoster } from '../contract/ipc.js';
import type { Decision, DecisionProof } from '../domain/decision.js';
import type { FleetOptions } from './options.js';
import {
  idOf,
  isSigned,
  isSignedAside,
  proofOf,
  statementText,
  toPublicKey,
  type ProvenDecision,
  type Statement,
} from './seal.js';

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
  /**
   * As {@link refuse}, for many: their signatures, some 65 us of work each, are checked by other threads, part by part, and
   * the event loop goes round between the parts. What comes back holds for the roster of the moment in which it does.
   */
  refuseAll(statements: readonly Statement[]): Promise<(string | undefined)[]>;
  /** As {@link refuse}, for what a server hands to its responder: there must be a proof. */
  refuseDecision(decision: Decision): string | undefined;
  /** As {@link refuseDecision}, for many: see {@link refuseAll}. */
  refuseDecisions(decisions: readonly Decision[]): Promise<(string | undefined)[]>;
  /** A text with a purpose that a member must have signed. */
  isFrom(name: string, purpose: string, text: string, signature: string): boolean;
}

/** What a signature is checked with. */
interface Check {
  text: string;
  print: string;
  key: KeyObject | undefined;
}

/** Signatures that were found good: a list of 100,000 decisions that comes again is not checked again. */
const MAX_REMEMBERED = 250_000;

/** Signatures under way at once: the threads of the process serve files and names too. */
const TOGETHER = 128;
const UNSIGNED = 'it is not signed';

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
    const check = beforeSignature(statement);
    if (check === undefined || typeof check === 'string') return check;
    const { signer, signature } = proofOf(statement);
    return judged(statement, check, check.key !== undefined && isSigned(check.text, signature, check.key), signer);
  }

  /** @returns why not, undefined when it was found good before, or what its signature is to be checked with. */
  function beforeSignature(statement: Statement): string | undefined | Check {
    const wrong = refuseMeaning(statement);
    if (wrong !== undefined) return wrong;
    const text = statementText(fleet, statement);
    const print = printOf(text, proofOf(statement));
    if (good.get(idOf(statement)) === print) return undefined;
    return { text, print, key: members.get(proofOf(statement).signer)?.key };
  }

  function judged(statement: Statement, { print }: Check, isGood: boolean, signer: string): string | undefined {
    if (!isGood) return `its signature is not that of ${signer}`;
    if (good.size >= MAX_REMEMBERED) good.clear();
    good.set(idOf(statement), print);
    return undefined;
  }

  async function refuseAside(statement: Statement): Promise<string | undefined> {
    const check = beforeSignature(statement);
    if (check === undefined || typeof check === 'string') return check;
    const { signer, signature } = proofOf(statement);
    const by = current;
    const isGood = check.key !== undefined && (await isSignedAside(check.text, signature, check.key));
    // A newer roster meanwhile may have another key under this name.
    return by === current ? judged(statement, check, isGood, signer) : refuse(statement);
  }

  async function inParts<T>(
    items: readonly T[],
    judge: (item: T) => Promise<string | undefined>,
  ): Promise<(string | undefined)[]> {
    const by = current;
    const why: (string | undefined)[] = [];
    for (let from = 0; from < items.length; from += TOGETHER) {
      if (from > 0) await nextTurn();
      why.push(...(await Promise.all(items.slice(from, from + TOGETHER).map(judge))));
    }
    return by === current ? why : inParts(items, judge);
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
    refuseAll: (statements) => inParts(statements, refuseAside),
    refuseDecision: (decision) => (isProven(decision) ? refuse({ state: 'active', decision }) : UNSIGNED),
    refuseDecisions: (decisions) =>
      inParts(decisions, async (decision) =>
        isProven(decision) ? refuseAside({ state: 'active', decision }) : UNSIGNED,
      ),
    isFrom(name, purpose, text, signature) {
      const key = members.get(name)?.key;
      return key !== undefined && isSigned(`${purpose}\n${fleet}\n${text}`, signature, key);
    },
  };
}

function isProven(decision: Decision): decision is ProvenDecision {
  return decision.proof !== undefined;
}

/** The same only for the same text by the same signer with the same signature. */
function printOf(text: string, { signature, signer }: DecisionProof): string {
  return createHash('sha256').update(text).update(signature).update(signer).digest('base64');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
