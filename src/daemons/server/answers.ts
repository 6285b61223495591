import { rulesetSchema, type CanaryResult, type DoctorResult, type Ruleset } from '../../contract/http.js';
import { AppError } from '../../util/errors.js';

interface Finding {
  id: string;
  status: 'ok' | 'warning' | 'problem';
  title: string;
  detail: string;
  fix?: string;
}

function errorOf(answer: unknown): void {
  if (typeof answer === 'object' && answer !== null && 'error' in answer) {
    throw new AppError({ kind: 'operational', code: 'responder.failed', message: String(answer.error) });
  }
}

/** The responder's findings as the API gives them. */
export function toDoctorResult(answer: unknown): DoctorResult {
  errorOf(answer);
  const findings = (Array.isArray(answer) ? answer : []) as Finding[];
  return {
    ok: findings.every((f) => f.status !== 'problem'),
    checks: findings.map((f) => ({
      name: f.id,
      status: f.status === 'problem' ? 'failed' : f.status,
      message: f.detail === '' ? f.title : `${f.title}: ${f.detail}`,
      ...(f.fix === undefined ? {} : { fix: f.fix }),
    })),
  };
}

export function toRuleset(answer: unknown): Ruleset {
  errorOf(answer);
  return rulesetSchema.parse(answer);
}

interface CanaryAnswer {
  ok?: boolean;
  unprovable?: string;
  steps?: { name?: string; ok?: boolean; ms?: number; message?: string; detail?: string }[];
}

export function toCanaryResult(answer: unknown): CanaryResult {
  errorOf(answer);
  const { ok, steps, unprovable } = (answer ?? {}) as CanaryAnswer;
  return {
    ok: ok === true,
    ...(unprovable === undefined ? {} : { unprovable }),
    steps: (steps ?? []).map((s) => ({
      name: s.name ?? '',
      ok: s.ok === true,
      ms: s.ms ?? 0,
      message: s.message ?? s.detail ?? '',
    })),
  };
}
