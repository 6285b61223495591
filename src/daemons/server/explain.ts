import type { ExplainResponse } from '../../contract/http.js';
import type { ExplainAnswer, PacketStep } from '../../enforce/index.js';
import { AppError } from '../../util/errors.js';
import { formatDuration } from '../../util/duration.js';
import { canonicalAddress, parseCidr } from '../../util/ip.js';
import type { ServerParts } from './parts.js';

const LAST_ALERTS = 10;
const TCP = 6;

type KernelAnswer = Partial<Pick<ExplainAnswer, 'blocked' | 'outcome' | 'path'>>;

/** Why an address is or is not blocked: kernel, decisions, exemptions, alerts and verdicts, in sentences. */
export async function explainAddress(
  parts: ServerParts,
  address: string,
  { port, proto = TCP }: { port?: number | undefined; proto?: number | undefined },
  askKernel: (value: string) => Promise<unknown>,
): Promise<ExplainResponse> {
  const network = parseCidr(address);
  if (!network)
    throw new AppError({
      kind: 'user',
      code: 'explain.bad_address',
      message: `"${address}" is not an address or prefix.`,
    });
  const now = Date.now();
  const kernel = (await askKernel(port === undefined ? address : `${address} ${proto} ${port}`).catch(
    () => undefined,
  )) as KernelAnswer | undefined;
  const kept = parts.exemptions.findProtected(network) ?? null;
  const allowed = parts.exemptions.findAllowed(network, now) ?? null;
  const covering = parts.book.covering(network);
  const decisions =
    port === undefined
      ? covering
      : covering.filter((d) => d.port === undefined || (d.port === port && d.proto === proto));
  const told = await toldOf(parts, canonicalAddress(address) ?? address);
  const { lastAlerts, verdicts } = told ?? { lastAlerts: [], verdicts: [] };
  const real = decisions.filter((d) => !d.simulated && d.enforcement === 'applied' && d.action === 'block');
  const blocked =
    kept === null && allowed === null && (kernel?.blocked ?? real.some((d) => d.scope === 'ip' || d.scope === 'cidr'));

  const text: string[] = [];
  if (kept)
    text.push(`${kept.value} is protected (${kept.reason.replace('_', ' ')}: ${kept.detail}): it is never blocked.`);
  if (allowed)
    text.push(
      `${allowed.value} is on the allowlist of ${allowed.owner}${allowed.expiresMs > 0 ? ` for another ${formatDuration((allowed.expiresMs - now) / 1000)}` : ''}: ${allowed.comment}`,
    );
  for (const d of decisions) {
    const rest =
      d.expiresMs === 0 ? 'until released' : `for another ${formatDuration(Math.max(0, (d.expiresMs - now) / 1000))}`;
    const how = d.simulated ? `would be (mode ${d.mode}) under` : 'is under';
    const what = d.port === undefined ? d.value : `${d.value} on port ${d.port}`;
    text.push(`${what} ${how} ${d.action.replace('_', ' ')} ${rest}, ${d.enforcement}: ${d.reason}`);
  }
  if (kernel?.path) {
    if (kernel.path.length === 0) text.push('The kernel holds no element for it.');
    for (const step of kernel.path) text.push(stepText(step));
  } else text.push('The responder did not answer, so the kernel was not asked.');
  if (told === undefined) text.push('The database does not answer, so alerts are not known.');
  else if (decisions.length === 0) {
    const latest = lastAlerts[0];
    text.push(
      latest
        ? `The last alert was "${latest.title}" ${formatDuration((now - latest.lastMs) / 1000)} ago.`
        : 'No alert names it.',
    );
    const verdict = verdicts[0];
    if (verdict) {
      text.push(verdict.reason);
      for (const trace of verdict.considered)
        if (!trace.matched) text.push(`Policy ${trace.policy} did not match: ${trace.failed ?? ''}.`);
    }
  }
  const packet = port === undefined ? `A packet from ${address}` : `A packet from ${address} to port ${port}`;
  if (kernel?.outcome) text.unshift(`${packet} ${OUTCOME_TEXT[kernel.outcome]} now.`);
  text.unshift(blocked ? `${address} is blocked now.` : `${address} is not blocked.`);
  const outcome = kernel?.outcome ?? 'unknown';
  return {
    outcome,
    path: kernel?.path ?? [],
    address,
    blocked,
    allowed,
    protected: kept,
    decisions,
    lastAlerts,
    verdicts,
    text,
  };
}

/** Its last alerts and what the policies said; undefined while the database does not answer. */
async function toldOf({ store }: ServerParts, address: string) {
  try {
    const lastAlerts = await store.alerts.ofAddress(address, LAST_ALERTS);
    const verdicts = await Promise.all(lastAlerts.slice(0, 3).map(({ id }) => store.alerts.verdict(id)));
    return { lastAlerts, verdicts: verdicts.filter((verdict) => verdict !== undefined) };
  } catch (error) {
    if (error instanceof AppError && error.kind === 'operational') return undefined;
    throw error;
  }
}

const OUTCOME_TEXT = { passes: 'passes', dropped: 'is dropped', rate_limited: 'is rate-limited' } as const;

const EFFECT_TEXT = {
  accept: 'exempts it',
  drop: 'drops it',
  limit: 'limits its rate',
  count: 'counts it and lets it pass',
  none: 'is not reached',
} as const;

function stepText({ set, key, effect, packets, expiresMs }: PacketStep): string {
  const counted = packets > 0 ? `, ${packets} packets so far` : '';
  const left = expiresMs > 0 ? `, for another ${formatDuration(expiresMs / 1000)}` : '';
  return `Kernel set ${set} holds ${key}: ${EFFECT_TEXT[effect]}${counted}${left}.`;
}
