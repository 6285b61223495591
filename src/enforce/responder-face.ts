import type { AllowEntry, Decision, ProtectedEntry } from '../domain/decision.js';
import type { Logger } from '../util/logger.js';
import type { Resolve } from './allow-names.js';
import type { BackendFactory } from './backend/open.js';
import type { CanaryResult } from './canary/step.js';
import type { Clock, ResponderState } from './core.js';
import type { Box } from './protect/box.js';

/** What a responder may be given; without, it takes what the box has. */
export interface ResponderDeps {
  backends?: BackendFactory;
  clock?: Clock;
  log?: Logger;
  /** What the protected set is computed from. */
  box?: Box;
  /** Named network namespace to enforce in; the own one without. */
  netns?: string;
  /** How names of the allowlist are resolved. */
  resolve?: Resolve;
  /** The canary's proof from packets to the release; without, the schedule proves that the table blocks. */
  wholeWayCanary?: () => Promise<CanaryResult>;
}

export type Question = 'doctor' | 'canary' | 'explain' | 'ruleset';

/** Carries decisions into the kernel and keeps them there. */
export interface Responder {
  /** Builds the ruleset and restores the journal in one transaction. A second call does nothing. */
  start(): Promise<void>;
  /** Keeps or removes the table as `on_stop` says. */
  stop(): Promise<void>;
  decide(decision: Decision): void;
  release(decisionId: string, reason: string): void;
  /**
   * Makes this list what is in force: adds what is missing, lifts what is not in it. A long list comes in parts with the
   * same `syncId`. It may still be checked when it is handed over: what is decided or released from this call on is newer.
   */
  sync(
    decisions: readonly Decision[] | Promise<readonly Decision[]>,
    part?: { syncId?: string; last?: boolean },
  ): Promise<void>;
  setAllow(entries: readonly AllowEntry[]): Promise<void>;
  setProtect(entries: readonly ProtectedEntry[]): void;
  /** Lifts everything. */
  flush(reason: string): Promise<void>;
  /** @param value for `explain` the address; for `doctor` the interfaces that sensors watch, separated by spaces. */
  ask(what: Question, value?: string): Promise<unknown>;
  state(): ResponderState;
  /** Resolves when the kernel has acknowledged everything asked so far. */
  idle(): Promise<void>;
}
