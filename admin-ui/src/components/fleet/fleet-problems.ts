import type { IconName } from '../icons';
import type { Fleet, FleetMember } from '@/api/types';
import { formatCount } from '@/format/number';
import { m } from '@/messages';

/** Part of what should be in force there that is: 0..1. Nothing wanted is all of it. */
export function enforcedShare({ desired, enforced }: FleetMember['responder']): number {
  return desired === 0 ? 1 : Math.min(1, enforced / desired);
}

export interface MemberProblem {
  tone: 'tone-danger' | 'tone-warn';
  text: string;
}

/** What is wrong with a member, worst first. Of a silent one nothing else is known. */
export function memberProblems(member: FleetMember, self: FleetMember | undefined): MemberProblem[] {
  const texts = m.fleet.problem;
  if (!member.alive) return [{ tone: 'tone-danger', text: texts.silent }];
  const { sensor, responder, decisions, spool } = member;
  const found: MemberProblem[] = [];
  const danger = (text: string): void => void found.push({ tone: 'tone-danger', text });
  const warn = (text: string): void => void found.push({ tone: 'tone-warn', text });
  // Servers need neither sensor nor responder.
  if (member.role === 'box' && !responder.connected) danger(texts.responder);
  if (responder.connected && enforcedShare(responder) < 1)
    danger(texts.enforcement(responder.desired - responder.enforced, formatCount(responder.desired)));
  if (decisions.refused > 0) danger(texts.refused(decisions.refused));
  if (member.role === 'box' && !sensor.connected) danger(texts.sensor);
  if (spool.dropped > 0) warn(texts.dropped(spool.dropped));
  if (self && member.version !== self.version) warn(texts.version(member.version, self.version));
  const { policies } = member;
  if (policies?.source === 'fleet' && self?.policies && policies.digest !== self.policies.digest) warn(texts.policies);
  return found;
}

/** What is wrong with one member, as an item of a check list. */
export interface FleetProblem {
  name: string;
  note: string;
  icon: IconName;
  tone: MemberProblem['tone'];
  text: string;
}

/** Members with something wrong, those in danger first. */
export function fleetProblems(fleet: Fleet): FleetProblem[] {
  const self = fleet.members.find((member) => member.name === fleet.self?.name);
  const items = fleet.members.flatMap((member): FleetProblem[] => {
    const problems = memberProblems(member, self);
    if (problems.length === 0) return [];
    const isDanger = problems.some((p) => p.tone === 'tone-danger');
    return [
      {
        name: member.name,
        note: member.site,
        icon: isDanger ? 'failed' : 'warning',
        tone: isDanger ? 'tone-danger' : 'tone-warn',
        text: problems.map((p) => p.text).join(' '),
      },
    ];
  });
  const rank = (item: FleetProblem): number => (item.tone === 'tone-danger' ? 0 : 1);
  return items.sort((a, b) => rank(a) - rank(b));
}
