import { defineStore } from 'pinia';
import { shallowRef } from 'vue';
import { api } from '@/api';
import { ApiError } from '@/api/errors';
import type { Decision, DecisionRequest } from '@/api/types';
import { formatDuration } from '@/format/time';
import { m } from '@/messages';
import { onLive } from './live';
import { useUi } from './ui';

/** Without word from the feed the decision is asked for after these pauses. */
const POLL_MS = [700, 1000, 2000, 3000, 5000, 10_000];

type Goal = 'applied' | 'revoked';

/**
 * Actions on decisions. Nothing here is shown as done before the kernel has said so: a toast stays pending
 * until the decision arrives as applied (or revoked), by the live feed or by asking.
 */
export const useDecisions = defineStore('decisions', () => {
  const ui = useUi();
  /** Newest known state of decisions that this page acted on or saw change. */
  const latest = new Map<string, Decision>();
  /** The decision that an action of this page changed last, before any word from the kernel. */
  const own = shallowRef<Decision | null>(null);
  const waiting = new Map<string, (decision: Decision) => void>();

  onLive('decisions', (update) => see(update.data));

  function see(decision: Decision): void {
    latest.set(decision.id, decision);
    if (latest.size > 2000) latest.delete(latest.keys().next().value ?? '');
    waiting.get(decision.id)?.(decision);
  }

  function settled(decision: Decision, goal: Goal): boolean {
    if (goal === 'revoked') return decision.enforcement === 'revoked' || decision.enforcement === 'expired';
    return decision.enforcement !== 'pending';
  }

  /** Resolves with the decision once the kernel has answered, or with its last state after about 20 s. */
  function confirmation(first: Decision, goal: Goal): Promise<Decision> {
    if (settled(first, goal)) return Promise.resolve(first);
    return new Promise((resolve) => {
      let attempt = 0;
      let timer = 0;
      const finish = (decision: Decision): void => {
        waiting.delete(first.id);
        window.clearTimeout(timer);
        resolve(decision);
      };
      const poll = (): void => {
        const pause = POLL_MS[attempt];
        if (pause === undefined) return finish(latest.get(first.id) ?? first);
        attempt += 1;
        timer = window.setTimeout(() => {
          api
            .decision(first.id)
            .then((detail) => see(detail.decision))
            .catch(() => undefined)
            .finally(() => {
              if (waiting.has(first.id)) poll();
            });
        }, pause);
      };
      waiting.set(first.id, (decision) => {
        if (settled(decision, goal)) finish(decision);
      });
      poll();
    });
  }

  /** Reports how an action ended in its toast. */
  async function follow(first: Decision, goal: Goal, undo?: () => void): Promise<Decision> {
    see(first);
    own.value = first;
    const name = first.value;
    const id = ui.toast(
      'pending',
      goal === 'applied' ? m.toast.applying(name) : m.toast.releasing(name),
      undo ? { label: m.action.undo, run: undo } : undefined,
    );
    const last = await confirmation(first, goal);
    if (!settled(last, goal)) ui.update(id, 'warn', m.toast.noConfirmation(name));
    else if (goal === 'revoked') ui.update(id, 'ok', m.toast.released(name));
    else if (last.enforcement !== 'applied') ui.update(id, 'danger', m.toast.refused(name, last.error ?? ''));
    else if (last.simulated) ui.update(id, 'sim', m.toast.simulated(name));
    else ui.update(id, 'ok', m.toast.applied(name, last.durationSecs === 0 ? '' : formatDuration(last.durationSecs)));
    return last;
  }

  async function block(request: DecisionRequest): Promise<Decision> {
    const decision = await api.addDecision(request);
    void follow(decision, 'applied', () => void release(decision, m.toast.undoReason));
    return decision;
  }

  async function release(decision: Decision, reason: string): Promise<void> {
    await guarded(async () => {
      const released = await api.releaseDecision(decision.id, reason);
      const leftSecs = decision.durationSecs === 0 ? 0 : Math.ceil((decision.expiresMs - Date.now()) / 1000);
      // What was only proposed would come back as a real block: a person asked for it then.
      const canUndo = !decision.simulated && (decision.durationSecs === 0 || leftSecs > 5);
      void follow(released, 'revoked', canUndo ? () => void guarded(() => again(decision, leftSecs)) : undefined);
    });
  }

  /** Undo of a release: the same instruction for the time that was left. */
  async function again(decision: Decision, durationSecs: number): Promise<void> {
    await block({
      value: decision.value,
      scope: decision.scope,
      action: decision.action,
      durationSecs,
      reason: m.toast.undoReason,
      ...(decision.proto === undefined ? {} : { proto: decision.proto }),
      ...(decision.port === undefined ? {} : { port: decision.port }),
    });
  }

  async function extend(decision: Decision, durationSecs: number): Promise<void> {
    await guarded(async () => {
      const extended = await api.extendDecision(decision.id, durationSecs);
      see(extended);
      own.value = extended;
      ui.toast('ok', m.toast.extended(decision.value, formatDuration(durationSecs)));
    });
  }

  async function releaseAndAllow(decision: Decision, durationSecs: number, comment: string): Promise<void> {
    await guarded(async () => {
      const result = await api.allowDecision(decision.id, durationSecs, comment);
      void follow(result.decision, 'revoked', () => {
        void guarded(async () => {
          await api.removeAllow(result.allow.id);
          ui.toast('ok', m.toast.allowRemoved(result.allow.value));
        });
      });
    });
  }

  async function guarded(run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (cause) {
      if (!(cause instanceof ApiError)) throw cause;
      ui.toast('danger', cause.message);
    }
  }

  return { own, see, confirmation, block, release, extend, releaseAndAllow };
});
