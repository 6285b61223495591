import type { ruleOperations } from '../../contract/http.js';
import type { Control } from '../deps.js';
import type { Handlers } from '../request.js';

export function ruleHandlers({ control }: { control: Control }): Pick<Handlers, keyof typeof ruleOperations> {
  const { rules } = control;
  return {
    listRules: ({ query }) => rules.list(query),
    async listRuleFiles() {
      return { items: await rules.files(), nextCursor: null };
    },
    listRuleSources: () => rules.sources(),
    async getRuleUpdate() {
      return { report: await rules.lastUpdate() };
    },
    async updateRules(request) {
      const report = await rules.update(request.body, request.actor);
      const after = report.sources.map(({ source, result, counts }) => ({ source, result, ...counts }));
      await request.audit({
        action: 'rules.update',
        object: 'rules',
        outcome: report.ok ? 'success' : 'failure',
        after: { sources: after },
      });
      return report;
    },
    async reloadRules(request) {
      const sensors = await rules.reload();
      await request.audit({ action: 'rules.reload', object: 'rules' });
      return { sensors };
    },
    checkRules: ({ body }) => rules.check(body.text),
    getRule: ({ params }) => rules.get(params.gid, params.sid),
    async setRuleState(request) {
      const { gid, sid } = request.params;
      const { enabled, comment } = request.body;
      const before = await rules.get(gid, sid);
      const rule = await rules.setState(gid, sid, enabled, comment, request.actor);
      await request.audit({
        action: enabled ? 'rule.enable' : 'rule.disable',
        object: `${gid}:${sid}`,
        ...(comment === undefined ? {} : { reason: comment }),
        before: { state: before.state },
        after: { state: rule.state },
      });
      return rule;
    },
  };
}
