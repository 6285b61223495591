import { editRule, type EditedRule, type RuleEdits } from './edits.js';
import { flowbitsOf, isNoalert, rulesOf } from './rule-lines.js';

export interface RuleFileText {
  file: string;
  text: string;
}

/** Rules of files after the operator's edits. */
export interface EditedRules {
  rules: EditedRule[];
  /** The files as the engine is to read them; every rule keeps its line. */
  files: RuleFileText[];
}

/**
 * Applies edits to rule files. A rule that sets a flow bit which an enabled rule tests is switched on again, without an
 * alert of its own, as suricata-update does: else the rule that tests could never fire.
 */
export function applyEdits(files: readonly RuleFileText[], edits: RuleEdits): EditedRules {
  const rules: EditedRule[] = [];
  for (const { file, text } of files) for (const rule of rulesOf(file, text)) rules.push(editRule(rule, edits));
  resolveFlowbits(rules);
  return { rules, files: files.map((f) => rewrite(f, rules)) };
}

function resolveFlowbits(rules: readonly EditedRule[]): void {
  for (;;) {
    const wanted = new Set(rules.filter((r) => r.enabled).flatMap((r) => flowbitsOf(r).tests));
    const missing = rules.filter((r) => !r.enabled && flowbitsOf(r).sets.some((name) => wanted.has(name)));
    if (missing.length === 0) return;
    for (const rule of missing) {
      rule.enabled = true;
      rule.changedBy = 'flowbits';
      if (isNoalert(rule)) continue;
      rule.original ??= rule.text;
      rule.text = rule.text.replace(/\)\s*$/, ' noalert;)');
    }
  }
}

/** The file with each changed rule on its first line. */
function rewrite({ file, text }: RuleFileText, rules: readonly EditedRule[]): RuleFileText {
  const changed = rules.filter((r) => r.file === file && r.changedBy !== undefined);
  if (changed.length === 0) return { file, text };
  const lines = text.split(/\r?\n/);
  for (const rule of changed) {
    lines[rule.line - 1] = rule.enabled ? rule.text : `# ${rule.text}`;
    for (let i = 1; i < rule.lines; i++) lines[rule.line - 1 + i] = '';
  }
  return { file, text: lines.join('\n') };
}
