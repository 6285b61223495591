import type { Decision } from '@/api/types';
import { formatProto } from '@/format/address';
import { formatDuration } from '@/format/time';
import { m } from '@/messages';

/** `Service TCP 22`, `Address`: what part of the traffic a decision is about. */
export function describeScope(d: Decision): string {
  if (d.scope === 'service') return `${m.scope.service} ${formatProto(d.proto)} ${d.port ?? ''}`.trim();
  if (d.scope === 'flow') return `${m.scope.flow} → ${d.peer ?? ''}${d.port ? `:${d.port}` : ''}`;
  return m.scope[d.scope];
}

/** `42 min left`, `No end`. */
export function describeRemaining(d: Decision, nowMs: number): string {
  if (d.expiresMs === 0) return m.duration.noEnd;
  const leftSecs = (d.expiresMs - nowMs) / 1000;
  return leftSecs > 0 ? m.duration.left(formatDuration(leftSecs)) : m.duration.ended;
}

/** In force or about to be. */
export function isActive(d: Decision): boolean {
  return d.enforcement === 'applied' || d.enforcement === 'pending';
}
