import { fc } from '../../../support/fuzz.js';
import type { SiemAlertEvent, SiemDecisionEvent, SiemEvent } from '../../../../src/domain/siem-event.js';
import { ALERT, BLOCK } from './samples.js';

/** Pieces that break naive formatters, with plain words between them so that values are not only noise. */
const PIECES = [
  '\\', '=', '|', '\n', '\r', '\t', ' ', '"', "'", '%', '{', '}', ',', ';', ':', 'a', 'src=', ' act=blocked', 'x y', '\\n', '\\|', '\\=',
  'CEF:0|', '<13>', '\u001b[31m', '\u001b]0;title\u0007', '\u0000', '\u0007', '\u007f', '\u0085', '\u2028', '\u00a0', 'ü', '漢字', '🦀', '\ud83e', '\udd80',
]; // prettier-ignore

/** Short texts made of them. */
export const hostileText = fc
  .array(fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...PIECES) }, fc.string({ maxLength: 6 })), { maxLength: 8 })
  .map((parts) => parts.join(''));

const alert: fc.Arbitrary<SiemAlertEvent> = fc
  .record({
    title: hostileText,
    label: hostileText,
    category: hostileText,
    message: hostileText,
    appProto: hostileText,
    interfaceName: hostileText,
    communityId: hostileText,
    evidenceName: hostileText,
    evidenceText: hostileText,
    ipv6: fc.boolean(),
    count: fc.integer({ min: 1, max: 5 }),
  })
  .map(({ evidenceName, evidenceText, ipv6, ...rest }) => ({
    ...ALERT,
    ...rest,
    ...(ipv6 ? { src: { ip: '2001:db8::1', port: 1 }, dst: { ip: '2001:db8::2', port: 2 } } : {}),
    evidence: [{ name: evidenceName, value: evidenceText }],
  }));

const decision: fc.Arbitrary<SiemDecisionEvent> = fc
  .record({
    op: fc.constantFrom('block', 'unblock', 'extend', 'simulated', 'refused'),
    policy: hostileText,
    reason: hostileText,
    actor: hostileText,
    user: hostileText,
    set: hostileText,
    message: hostileText,
    signature: hostileText,
  })
  .map((rest) => ({ ...BLOCK, ...rest }) as SiemDecisionEvent);

export const hostileEvent: fc.Arbitrary<SiemEvent> = fc.oneof(alert, decision);
