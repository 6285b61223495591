import type { Traffic } from '../rules/traffic.js';
import { packet } from '../../unit/support/packets.js';

const A = '192.0.2.1';
const B = '192.0.2.2';
const X = '198.51.100.1';
const Y = '198.51.100.2';
const ECHO = 8;
const REPLY = 0;

const ping = (at: number, src: string, dst: string, icmpType = ECHO) =>
  packet({ at, src, dst, proto: 1, icmpType, icmpId: 1, payload: 'ping' });
const every = (secs: number, make: (at: number, i: number) => Traffic[number]): Traffic =>
  Array.from({ length: 16 }, (_, i) => make((i * Math.round(secs * 1000)) / 1000, i));

/** Echoes that limits are tried on; in a window of ten seconds are those of the second 0 to those of the second 10. */
export const LIMITS_TRAFFIC: Readonly<Record<string, Traffic>> = {
  steady: every(1, (at) => ping(at, A, X)),
  hosts: every(0.9, (at, i) => ping(at, i % 3 === 0 ? B : A, i % 2 ? X : Y)),
  answers: every(0.7, (at, i) => (i % 2 ? ping(at, X, A, REPLY) : ping(at, A, X))),
  bursts: [0, 0.1, 0.2, 0.3, 9.9, 10, 10.1, 10.2, 20.05, 20.1, 20.2, 35, 35.1, 60.5].map((at) => ping(at, A, X)),
};

/**
 * Options of a rule, a line of `threshold.config` about it without its ids, and the seconds in which Suricata 7.0.10 raises
 * its alert, with d when its action is drop.
 */
export const LIMITS: readonly (readonly [options: string, line: string, raised: Readonly<Record<string, string>>])[] = [
  ['threshold:type limit, track by_src, count 2, seconds 10;', '',
    { steady: '0 1 11 12', hosts: '0 0.9 1.8 2.7 10.8 11.7 12.6 13.5', answers: '0 0.7 1.4 2.1', bursts: '0 0.1 10.1 10.2 20.2 35 35.1 60.5' }],
  ['threshold:type limit, track by_dst, count 1, seconds 5;', '',
    { steady: '0 6 12', hosts: '0 0.9 5.4 6.3 10.8 11.7', answers: '0 0.7 5.6 6.3', bursts: '0 9.9 20.05 35 60.5' }],
  ['threshold:type limit, track by_rule, count 2, seconds 10;', '',
    { steady: '0 1 11 12', hosts: '0 0.9 10.8 11.7', answers: '0 0.7 10.5', bursts: '0 0.1 10.1 10.2 20.2 35 35.1 60.5' }],
  ['threshold:type limit, track by_both, count 2, seconds 10;', '',
    { steady: '0 1 11 12', hosts: '0 0.9 1.8 2.7 3.6 4.5 5.4 8.1 10.8 11.7 12.6 13.5', answers: '0 0.7 10.5', bursts: '0 0.1 10.1 10.2 20.2 35 35.1 60.5' }],
  ['threshold:type threshold, track by_src, count 3, seconds 5;', '',
    { steady: '2 5 8 11 14', hosts: '3.6 9', answers: '2.8 3.5 8.4 9.1', bursts: '0.2 10.1 20.2' }],
  ['threshold:type threshold, track by_dst, count 2, seconds 10;', '',
    { steady: '1 3 5 7 9 12 14', hosts: '1.8 2.7 5.4 6.3 9 9.9 12.6 13.5', answers: '1.4 2.1 4.2 4.9 7 7.7 9.8 10.5', bursts: '0.1 0.3 10 10.2 20.1 35.1' }],
  ['threshold:type threshold, track by_rule, count 4, seconds 10;', '',
    { steady: '3 7 14', hosts: '2.7 6.3 9.9 13.5', answers: '2.1 4.9 7.7', bursts: '0.3 20.1' }],
  ['threshold:type threshold, track by_both, count 3, seconds 10;', '',
    { steady: '2 5 8 13', hosts: '6.3 7.2', answers: '1.4 3.5 5.6 7.7 9.8', bursts: '0.2 10 20.05' }],
  ['threshold:type both, track by_src, count 2, seconds 10;', '',
    { steady: '1 12', hosts: '1.8 2.7 12.6 13.5', answers: '1.4 2.1', bursts: '0.1 10.2 35.1' }],
  ['threshold:type both, track by_both, count 3, seconds 5;', '',
    { steady: '2 8 14', hosts: '', answers: '1.4 7', bursts: '0.2 10.1 20.2' }],
  ['detection_filter:track by_src, count 2, seconds 10;', '',
    { steady: '2 3 4 5 6 7 8 9 10 13 14 15', hosts: '3.6 4.5 5.4 6.3 7.2 8.1 9 9.9', answers: '2.8 3.5 4.2 4.9 5.6 6.3 7 7.7 8.4 9.1 9.8 10.5', bursts: '0.2 0.3 9.9 10 20.05 20.1' }],
  ['detection_filter:track by_dst, count 3, seconds 5;', '',
    { steady: '3 4 5 9 10 11 15', hosts: '', answers: '4.2 4.9 9.8 10.5', bursts: '0.3 10.2' }],
  ['', 'threshold|type limit, track by_src, count 2, seconds 10',
    { steady: '0 1 11 12', hosts: '0 0.9 1.8 2.7 10.8 11.7 12.6 13.5', answers: '0 0.7 1.4 2.1', bursts: '0 0.1 10.1 10.2 20.2 35 35.1 60.5' }],
  ['threshold:type limit, track by_src, count 1, seconds 10;', 'threshold|type both, track by_dst, count 3, seconds 10',
    { steady: '2 13', hosts: '3.6 4.5', answers: '2.8 3.5', bursts: '0.2 20.05' }],
  ['detection_filter:track by_src, count 4, seconds 10;', 'event_filter|type limit, track by_dst, count 3, seconds 5',
    { steady: '0 1 2 6 7 8 12 13 14', hosts: '0 0.9 1.8 2.7 3.6 4.5 5.4 6.3 7.2 8.1 9 9.9 10.8 11.7 12.6 13.5', answers: '0 0.7 1.4 2.1 2.8 3.5 5.6 6.3 7 7.7 8.4 9.1', bursts: '0 0.1 0.2 9.9 10 10.1 20.05 20.1 20.2 35 35.1 60.5' }],
  ['', 'suppress|track by_src, ip 192.0.2.1',
    { steady: '', hosts: '0 2.7 5.4 8.1 10.8 13.5', answers: '0.7 2.1 3.5 4.9 6.3 7.7 9.1 10.5', bursts: '' }],
  ['', 'suppress|track by_dst, ip 198.51.100.0/31',
    { steady: '', hosts: '0 1.8 3.6 5.4 7.2 9 10.8 12.6', answers: '0.7 2.1 3.5 4.9 6.3 7.7 9.1 10.5', bursts: '' }],
  ['', 'suppress|track by_either, ip 192.0.2.1',
    { steady: '', hosts: '0 2.7 5.4 8.1 10.8 13.5', answers: '', bursts: '' }],
  ['threshold:type limit, track by_rule, count 2, seconds 10;', 'suppress|track by_src, ip 192.0.2.2',
    { steady: '0 1 11 12', hosts: '0.9 1.8 11.7 12.6', answers: '0 0.7 10.5', bursts: '0 0.1 10.1 10.2 20.2 35 35.1 60.5' }],
  ['', 'suppress|',
    { steady: '', hosts: '', answers: '', bursts: '' }],
  ['', 'rate_filter|track by_src, count 2, seconds 4, new_action drop, timeout 3',
    { steady: '0 1 2d 3d 4d 5d 6 7 8 9d 10d 11d 12d 13 14 15', hosts: '0 0.9 1.8 2.7 3.6d 4.5d 5.4 6.3d 7.2 8.1 9 9.9 10.8 11.7d 12.6d 13.5', answers: '0 0.7 1.4 2.1 2.8d 3.5d 4.2d 4.9d 5.6d 6.3d 7 7.7 8.4 9.1 9.8 10.5', bursts: '0 0.1 0.2d 0.3d 9.9 10 10.1 10.2d 20.05 20.1 20.2 35 35.1 60.5' }],
  ['', 'rate_filter|track by_rule, count 3, seconds 10, new_action drop, timeout 2',
    { steady: '0 1 2 3d 4d 5d 6 7d 8d 9d 10 11 12 13 14d 15d', hosts: '0 0.9 1.8 2.7d 3.6d 4.5d 5.4 6.3d 7.2d 8.1d 9 9.9d 10.8d 11.7d 12.6 13.5', answers: '0 0.7 1.4 2.1d 2.8d 3.5d 4.2d 4.9d 5.6 6.3d 7d 7.7d 8.4d 9.1 9.8d 10.5d', bursts: '0 0.1 0.2 0.3d 9.9 10d 10.1d 10.2d 20.05 20.1 20.2 35 35.1 60.5' }],
]; // prettier-ignore

/** Rules with the sids 1, 2, ... and the lines about them. */
export function limitsFiles(): { rules: string; config: string } {
  const rules = LIMITS.map(([options], i) => `alert icmp any any -> any any (content:"ping"; ${options} sid:${i + 1};)`);
  const lines = LIMITS.map(([, line], i) => {
    const [kind, rest] = line.split('|');
    return kind === '' ? '' : `${kind} gen_id 1, sig_id ${i + 1}${rest ? `, ${rest}` : ''}`;
  });
  return { rules: `${rules.join('\n')}\n`, config: `${lines.filter(Boolean).join('\n')}\n` };
} // prettier-ignore
