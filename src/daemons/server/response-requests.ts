import type { ResponseAnswer, ResponseItem, ResponseRequest } from '../../contract/http.js';
import type { Decision } from '../../domain/decision.js';
import type { ResponseRequestOptions } from '../../forward/index.js';
import { AppError } from '../../util/errors.js';
import { formatDuration } from '../../util/duration.js';
import { canonicalAddress, formatCidr, parseCidr, type Cidr } from '../../util/ip.js';
import type { ServerParts } from './parts.js';
import { extended, refuseExempt, refuseUnfit, toDecision, warnAboutBlast } from './requested-decision.js';

type Parts = Pick<ServerParts, 'book' | 'config' | 'exemptions' | 'settings' | 'guards' | 'policyOptions'>;
type BlockItem = Extract<ResponseItem, { op: 'block' }>;
type ReleaseItem = Extract<ResponseItem, { op: 'release' }>;
type Outcome = Omit<ResponseAnswer, 'op' | 'value'>;

const HOUR_MS = 3_600_000;

/**
 * Carries out what a SIEM or SOAR asks for, behind the same guards as a policy: protected set, allowlist, blast
 * radius, mode and pause, and limits of its own on prefix, duration and number.
 */
export function createResponseRequests(
  parts: Parts,
  options: ResponseRequestOptions,
): (request: ResponseRequest, actor: { name: string }) => ResponseAnswer[] {
  /** When each block of the last hour was made, oldest first. */
  const madeMs: number[] = [];

  function takeFromHour(nowMs: number, isDry: boolean): void {
    while (madeMs[0] !== undefined && madeMs[0] <= nowMs - HOUR_MS) madeMs.shift();
    if (madeMs.length >= options.max_blocks_per_hour) {
      throw refusal({
        code: 'response.limit',
        message: `SIEMs made ${madeMs.length} blocks in the last hour, which is the limit.`,
        fix: 'Look at what asks so often, or raise siem.requests.max_blocks_per_hour.',
      });
    }
    if (!isDry) madeMs.push(nowMs);
  }

  function block(item: BlockItem, network: Cidr, request: ResponseRequest, actor: { name: string }): Outcome {
    refuseWidePrefix(network, options);
    refuseExempt(parts, network);
    const asked =
      item.durationSecs === undefined || item.durationSecs === 0 ? options.default_duration : item.durationSecs;
    const longest = parts.config.enforce.guard.longest_duration_secs;
    const durationSecs = Math.min(asked, options.max_duration, longest);
    const decision = toDecision(
      parts,
      {
        value: item.value,
        action: item.action,
        durationSecs,
        reason: reasonOf(item.reason, request),
        ...(item.proto === undefined ? {} : { proto: item.proto }),
        ...(item.port === undefined ? {} : { port: item.port }),
      },
      network,
      { name: actor.name, origin: 'siem' },
    );
    refuseUnfit(parts, decision);
    warnAboutBlast(parts, decision, network);
    const said = durationSecs < asked ? `, shortened to the maximum of ${formatDuration(durationSecs)}` : '';
    const base = { capped: durationSecs < asked, simulated: decision.simulated };
    const known = parts.book.covering(network).filter((d) => isSame(d, decision));
    const lasting = known.find((d) => d.expiresMs === 0 || d.expiresMs >= decision.expiresMs);
    if (lasting) {
      const { id, expiresMs, origin, actor: by } = lasting;
      return {
        ...base,
        outcome: 'unchanged',
        message: `In force already (${origin} ${by}).`,
        decisionIds: [id],
        expiresMs,
      };
    }
    const own = known.find((d) => d.origin === 'siem');
    if (own) refuseUnfit(parts, extended(own, durationSecs));
    takeFromHour(Date.now(), request.dryRun);
    const verb = decision.simulated ? 'Counted, not enforced' : own ? 'Extended' : 'Sent to the responder';
    const done = { ...base, outcome: 'accepted' as const, expiresMs: decision.expiresMs };
    if (request.dryRun) return { ...done, message: `Would be accepted${said}.`, decisionIds: [] };
    if (own) parts.book.extend(own.id, durationSecs, actor.name);
    else parts.book.add(decision, undefined);
    return { ...done, message: `${verb}${said}.`, decisionIds: [own?.id ?? decision.id] };
  }

  /** Lifts what is in force for exactly this address or prefix; what a person decided stays. */
  function release(item: ReleaseItem, network: Cidr, request: ResponseRequest, actor: { name: string }): Outcome {
    const value = formatCidr(network);
    const found = parts.book.covering(network).filter((d) => textOf(d.value) === value);
    const base = { capped: false, simulated: false };
    if (found.length === 0)
      return { ...base, outcome: 'unchanged', message: 'Nothing is in force for it.', decisionIds: [] };
    const mine = found.filter((d) => d.origin !== 'operator');
    if (mine.length < found.length) {
      const by = found.find((d) => d.origin === 'operator')?.actor ?? '';
      throw refusal({
        code: 'response.operator',
        message: `${by} blocked it by hand.`,
        fix: 'Ask an operator to lift it in the console.',
      });
    }
    const decisionIds = mine.map((d) => d.id);
    if (request.dryRun) return { ...base, outcome: 'accepted', message: 'Would be lifted.', decisionIds };
    for (const id of decisionIds) parts.book.release(id, actor.name, reasonOf(item.reason, request), true);
    return { ...base, outcome: 'accepted', message: `Lifted ${decisionIds.length} decision(s).`, decisionIds };
  }

  return (request, actor) =>
    request.items.map((item) => {
      const value = canonicalAddress(item.value) ?? item.value;
      const head = { op: item.op, value };
      try {
        const network = parseCidr(value);
        if (!network) {
          throw refusal({
            code: 'request.bad_address',
            message: `"${item.value}" is not an address or prefix.`,
            fix: 'Write for example 203.0.113.7, 203.0.113.0/24 or 2001:db8::/64.',
          });
        }
        const outcome =
          item.op === 'block'
            ? block({ ...item, value }, network, request, actor)
            : release(item, network, request, actor);
        return { ...head, ...outcome };
      } catch (error) {
        if (!(error instanceof AppError) || error.kind !== 'user') throw error;
        const { code, message, fix } = error;
        const why = { code, message, ...(fix === undefined ? {} : { fix }) };
        return { ...head, outcome: 'refused' as const, ...why, decisionIds: [], capped: false, simulated: false };
      }
    });
}

function refuseWidePrefix(network: Cidr, options: ResponseRequestOptions): void {
  const shortest = network.version === 4 ? options.min_prefix4 : options.min_prefix6;
  if (network.prefix >= shortest) return;
  throw refusal({
    code: 'response.prefix',
    message: `A prefix of /${network.prefix} is wider than a SIEM may block.`,
    fix: `Ask for /${shortest} or longer, or let an operator do it.`,
  });
}

/** Same effect on the same address; its duration may differ. */
function isSame(known: Decision, wanted: Decision): boolean {
  return (
    textOf(known.value) === textOf(wanted.value) &&
    known.action === wanted.action &&
    known.scope === wanted.scope &&
    known.proto === wanted.proto &&
    known.port === wanted.port &&
    known.simulated === wanted.simulated &&
    (known.enforcement === 'pending' || known.enforcement === 'applied')
  );
}

function textOf(value: string): string {
  const network = parseCidr(value);
  return network ? formatCidr(network) : value;
}

function reasonOf(reason: string, { source, reference }: ResponseRequest): string {
  return `${reason} (${source}${reference === undefined ? '' : ` ${reference}`})`;
}

function refusal(why: { code: string; message: string; fix: string }): AppError {
  return new AppError({ kind: 'user', ...why });
}
