import type { AlertRow, Comment, Decision } from '@/api/types';
import { formatLatency } from '@/format/number';
import { m } from '@/messages';
import type { IconName } from './icons';

export interface Moment {
  atMs: number;
  icon: IconName;
  tone: string;
  title: string;
  text: string;
  /** Microseconds since the deciding packet, on the latency path. */
  sincePacketUs?: number;
  to?: string;
}

/** The path of one alert and its decisions, oldest first: packet, detection, alert, decision, kernel, end. */
export function alertMoments(
  alert: Pick<AlertRow, 'packetUs' | 'detectedUs' | 'firstMs' | 'title'>,
  decisions: Decision[],
): Moment[] {
  const moments: Moment[] = [];
  const add = (us: number, icon: IconName, tone: string, title: string, text = '', fromUs = alert.packetUs): void => {
    if (us <= 0) return;
    moments.push({ atMs: us / 1000, icon, tone, title, text, ...(us > fromUs ? { sincePacketUs: us - fromUs } : {}) });
  };
  add(alert.packetUs, 'flows', 'tone-muted', m.timeline.packet);
  add(alert.detectedUs, 'aim', 'tone-warn', m.timeline.detected, alert.title);
  for (const d of decisions) {
    const from = d.trace.packetUs || alert.packetUs;
    add(
      d.trace.decidedUs || d.createdMs * 1000,
      'policies',
      d.simulated ? 'tone-sim' : 'tone-low',
      m.timeline.decided,
      d.reason,
      from,
    );
    if (d.enforcement === 'rejected' || d.enforcement === 'failed')
      add(d.trace.receivedUs, 'failed', 'tone-danger', m.enforcement[d.enforcement], d.error ?? '', from);
    else if (d.simulated) add(d.trace.kernelUs, 'view', 'tone-sim', m.enforcement.simulated, d.value, from);
    else add(d.trace.kernelUs, 'check', 'tone-ok', m.timeline.kernel, `${d.value}${d.set ? ` · ${d.set}` : ''}`, from);
  }
  return moments.sort((a, b) => a.atMs - b.atMs);
}

/** Alerts, decisions and comments of an incident, newest first. */
export function incidentMoments(alerts: AlertRow[], decisions: Decision[], comments: Comment[]): Moment[] {
  const moments: Moment[] = [
    ...alerts.map((a) => ({
      atMs: a.firstMs,
      icon: 'alerts' as const,
      tone: 'tone-warn',
      title: a.title,
      text: a.evidence[0]?.text ?? a.label,
      to: `/alerts/${a.id}`,
    })),
    ...decisions.map((d) => ({
      atMs: d.createdMs,
      icon: d.simulated ? ('view' as const) : ('block' as const),
      tone: d.simulated ? 'tone-sim' : 'tone-ok',
      title: `${d.simulated ? m.enforcement.simulated : m.verdictAction[d.action]} ${d.value}`,
      text: latencyText(d) || d.reason,
      to: `/blocks/${d.id}`,
    })),
    ...comments.map((c) => ({
      atMs: c.createdMs,
      icon: 'doc' as const,
      tone: 'tone-info',
      title: c.user,
      text: c.text,
    })),
  ];
  return collapse(moments.sort((a, b) => b.atMs - a.atMs));
}

/** A row of moments with the same title becomes one, with their number and the newest time. */
function collapse(moments: Moment[]): Moment[] {
  const out: (Moment & { count: number })[] = [];
  for (const moment of moments) {
    const last = out[out.length - 1];
    if (last && last.title === moment.title && last.icon === 'alerts' && moment.icon === 'alerts') last.count += 1;
    else out.push({ ...moment, count: 1 });
  }
  return out.map(({ count, ...moment }) =>
    count > 1 ? { ...moment, text: `${moment.text} · ${m.alert.times(count)}` } : moment,
  );
}

/** Packet-to-kernel latency of a block made by a policy. */
export function latencyText(d: Decision): string {
  const { packetUs, kernelUs } = d.trace;
  return packetUs > 0 && kernelUs > packetUs && !d.simulated
    ? `${m.alert.latency} ${formatLatency(kernelUs - packetUs)}`
    : '';
}
