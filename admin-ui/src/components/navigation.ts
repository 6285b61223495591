import type { IconName } from './icons';
import { m } from '@/messages';

export interface NavItem {
  path: string;
  text: string;
  icon: IconName;
  testid: string;
  /** Second key after `g`. */
  key: string;
}

/** In the order of need; groups are separated by a line. */
export const NAVIGATION: readonly (readonly NavItem[])[] = [
  [
    { path: '/', text: m.nav.overview, icon: 'overview', testid: 'nav-overview', key: 'o' },
    { path: '/incidents', text: m.nav.incidents, icon: 'incidents', testid: 'nav-incidents', key: 'i' },
    { path: '/alerts', text: m.nav.alerts, icon: 'alerts', testid: 'nav-alerts', key: 'a' },
    { path: '/blocks', text: m.nav.blocks, icon: 'block', testid: 'nav-blocks', key: 'b' },
    { path: '/allow', text: m.nav.allow, icon: 'allow', testid: 'nav-allow', key: 'w' },
  ],
  [
    { path: '/policies', text: m.nav.policies, icon: 'policies', testid: 'nav-policies', key: 'p' },
    { path: '/rules', text: m.nav.rules, icon: 'rules', testid: 'nav-rules', key: 'r' },
    { path: '/models', text: m.nav.models, icon: 'models', testid: 'nav-models', key: 'm' },
    { path: '/inline', text: m.nav.inline, icon: 'inline', testid: 'nav-inline', key: 'v' },
    { path: '/traffic', text: m.nav.traffic, icon: 'traffic', testid: 'nav-traffic', key: 't' },
    { path: '/lab', text: m.nav.lab, icon: 'aim', testid: 'nav-lab', key: 'l' },
  ],
  [
    { path: '/integrations', text: m.nav.integrations, icon: 'integrations', testid: 'nav-integrations', key: 'n' },
    { path: '/fleet', text: m.nav.fleet, icon: 'monitor', testid: 'nav-fleet', key: 'f' },
    { path: '/system', text: m.nav.system, icon: 'system', testid: 'nav-system', key: 's' },
    { path: '/accounts', text: m.nav.accounts, icon: 'user', testid: 'nav-accounts', key: 'u' },
  ],
];

/** What a thumb reaches on a phone. */
export const TAB_BAR = ['/', '/incidents', '/alerts', '/blocks'];

/** Whether a screen of this path is shown; the details of a list belong to it. */
export const isCurrent = (path: string, shown: string): boolean =>
  path === '/' ? shown === '/' : shown.startsWith(path);
