import type { RulesControl } from '../../../src/api/index.js';
import type { RuleDetail, RuleUpdateReport } from '../../../src/contract/http.js';
import { AppError } from '../../../src/util/errors.js';

const SHOWN: RuleDetail = {
  gid: 1,
  sid: 9_000_001,
  rev: 1,
  msg: 'A sample',
  action: 'alert',
  proto: 'http',
  classtype: 'web-application-attack',
  severity: 'high',
  state: 'enabled',
  changedBy: null,
  noalert: false,
  origin: 'shipped',
  source: null,
  file: 'web.rules',
  line: 1,
  technique: 'T1190',
  hits: 3,
  lastHitMs: 5,
  text: 'alert http any any -> any any (sid:9000001;)',
  originalText: null,
  problem: null,
  references: [],
  metadata: {},
};

/** Rules for the API's tests: one rule, which can be switched. */
export function fakeRules(): RulesControl {
  const rule = { ...SHOWN };
  const report: RuleUpdateReport = { atMs: 7, actor: 'ada', ok: true, sources: [] };
  let last: RuleUpdateReport | null = null;
  const need = (gid: number, sid: number): RuleDetail => {
    if (gid === rule.gid && sid === rule.sid) return rule;
    throw new AppError({ kind: 'user', code: 'rule.not_found', message: 'no such rule' });
  };
  return {
    list: () => ({
      items: [rule],
      nextCursor: null,
      total: 1,
      counts: { enabled: 1, disabled: 0, failed: 0 },
      classtypes: [],
      files: [],
      hitsSinceMs: 1,
    }),
    files: () => [],
    get: need,
    setState(gid, sid, enabled) {
      need(gid, sid).state = enabled ? 'enabled' : 'disabled';
      return rule;
    },
    check: (text) => ({ ok: text.includes('sid'), loaded: 1, problems: [] }),
    sources: () => ({ items: [], intervalHours: 24, nextMs: 0, running: false }),
    lastUpdate: () => last,
    update: () => (last = report),
    reload: () => 1,
  };
}
