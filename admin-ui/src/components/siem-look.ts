import type { IconName } from './icons';
import type { SiemStatus } from '@/api/types';

export const siemLook: Record<SiemStatus['state'], { icon: IconName; tone: string }> = {
  ok: { icon: 'check', tone: 'tone-ok' },
  retrying: { icon: 'refresh', tone: 'tone-warn' },
  misconfigured: { icon: 'failed', tone: 'tone-danger' },
  disabled: { icon: 'remove', tone: 'tone-muted' },
};
