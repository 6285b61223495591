import type { Actor, Control } from '../../api/index.js';
import type { PolicyDetail } from '../../contract/http.js';
import { MODES, type Mode } from '../../domain/decision.js';
import { explainAlert, judgeOnce, parsePolicy, policyError, type Policy } from '../../policy/index.js';
import { AppError } from '../../util/errors.js';
import type { BacktestJobs } from './backtests.js';
import type { StoredChange } from './changes.js';
import type { ServerParts } from './parts.js';

type PolicyControl = Pick<Control, 'policies' | 'changes' | 'backtests' | 'setMode'>;

/** Policies, their versions and backtests, and changes that must be confirmed, as the API asks for them. */
export function createPolicyControl(parts: ServerParts): PolicyControl {
  const { policies, changes, backtests, settings } = parts;

  async function guarded(
    name: string,
    summary: string,
    how: { actor: Actor; confirmSecs: number | undefined },
    change: () => Promise<PolicyDetail>,
  ): Promise<PolicyDetail> {
    if (how.confirmSecs === undefined) {
      const detail = await change();
      await changes.supersede('policy', name);
      return detail;
    }
    const before = await policies.saved(name);
    const made = { kind: 'policy' as const, object: name, summary, actor: how.actor.name, before };
    const pending = await changes.arm(made, how.confirmSecs, change);
    return { ...(await policies.get(name)), pending };
  }

  return {
    async setMode(mode, actor, confirmSecs) {
      refuseIfNothingBlocks(parts, mode);
      const before = settings.mode();
      const make = (): Promise<void> => settings.setMode(mode, actor.name);
      if (confirmSecs === undefined) {
        await make();
        await changes.supersede('mode', 'mode');
        return undefined;
      }
      const summary = `Mode ${before} became ${mode}.`;
      return changes.arm({ kind: 'mode', object: 'mode', summary, actor: actor.name, before }, confirmSecs, make);
    },
    policies: {
      list: () => policies.list(),
      async get(name) {
        const pending = changes.of('policy', name);
        return { ...(await policies.get(name)), ...(pending ? { pending } : {}) };
      },
      validate: (yaml) => policies.validate(yaml),
      put: (name, { yaml, comment, confirmSecs, basedOn }, actor) =>
        guarded(name, `Policy ${name} was saved: ${comment}`, { actor, confirmSecs }, () =>
          policies.put(name, yaml, { actor: actor.name, comment, basedOn }),
        ),
      rollback: (name, { version, comment, confirmSecs, basedOn }, actor) =>
        guarded(name, `Policy ${name} went back to version ${version}: ${comment}`, { actor, confirmSecs }, () =>
          policies.rollback(name, version, { actor: actor.name, comment, basedOn }),
        ),
      async remove(name, actor) {
        await policies.remove(name, actor.name);
        await changes.supersede('policy', name);
      },
      diff: (name, what) => policies.diff(name, what),
      async test(name, alert) {
        const policy = parts.engine.policies().find((p) => p.name === name);
        if (!policy) {
          throw new AppError({ kind: 'user', code: 'policy.not_found', message: `There is no policy "${name}".` });
        }
        return judgeOnce([policy], alert, parts.policyOptions, parts.guards);
      },
      explain: (alert, yaml) =>
        explainAlert(withCandidate(parts.engine.policies(), yaml), alert, parts.policyOptions, parts.guards),
    },
    changes: {
      list: () => changes.list(),
      confirm: (id, actor) => changes.confirm(id, actor.name),
      revert: (id, actor) => changes.revert(id, actor.name),
    },
    backtests: backtestControl(backtests),
  };
}

function backtestControl(jobs: BacktestJobs): Control['backtests'] {
  return {
    start: (request, actor) => jobs.start(request, actor.name),
    list: () => jobs.list(),
    get: (id) => jobs.get(id),
    cancel: (id) => jobs.cancel(id),
  };
}

function refuseIfNothingBlocks(parts: ServerParts, mode: Mode): void {
  if (mode !== 'enforce' || parts.responder().backend !== 'dry-run') return;
  throw new AppError({
    kind: 'user',
    code: 'decision.cannot_enforce',
    message: 'Nothing can be blocked here: the responder cannot use nftables.',
    fix: 'Install nftables (apt install nftables) and give the responder CAP_NET_ADMIN; `portcullis doctor` says more.',
  });
}

/** The policies in force, the one of the same name replaced by the text, if one is given. @throws AppError policy.invalid */
function withCandidate(policies: readonly Policy[], yaml: string | undefined): Policy[] {
  if (yaml === undefined) return [...policies];
  const parsed = parsePolicy(yaml, 'policy');
  if (!parsed.ok) throw policyError(parsed.problems);
  return [...policies.filter((p) => p.name !== parsed.policy.name), parsed.policy];
}

/** Takes an unconfirmed change back, with the decisions that were made under it. @returns how many were lifted. */
export async function undoChange(
  change: StoredChange,
  actor: string,
  parts: Pick<ServerParts, 'policies' | 'settings' | 'book' | 'inline'>,
): Promise<number> {
  if (change.kind === 'inline') {
    await parts.inline.restoreMode(change.before, actor);
    return 0;
  }
  if (change.kind === 'policy') await parts.policies.restore(change.object, change.before);
  else await parts.settings.setMode(MODES.find((m) => m === change.before) ?? 'observe', actor);
  const madeUnder = parts.book.active().filter((d) => {
    if (d.origin !== 'policy' || d.simulated || d.createdMs < change.madeMs) return false;
    return change.kind === 'mode' || d.policy === change.object;
  });
  for (const d of madeUnder) parts.book.release(d.id, actor, `taken back: ${change.summary}`, true);
  return madeUnder.length;
}
