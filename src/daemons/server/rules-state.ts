import type { EditedRule, RuleFolder } from '../../detect/signature/index.js';
import { AppError } from '../../util/errors.js';

interface StateChange {
  enabled: boolean;
  actor: string;
  comment: string | undefined;
  nowMs: number;
}

/**
 * Switches one rule on or off in disable.conf and enable.conf. Lines of that rule alone are taken back; lines that choose
 * several rules stay, and the other file says otherwise for this one: enable.conf is read after disable.conf.
 * @throws {AppError} `rules.choice_stands` when a line of enable.conf that chooses several rules keeps it on.
 */
export function setRuleState(folder: RuleFolder, rule: EditedRule, change: StateChange): void {
  if (change.enabled === rule.enabled) return;
  const texts = folder.editTexts();
  const before = { 'disable.conf': texts['disable.conf'] ?? '', 'enable.conf': texts['enable.conf'] ?? '' };
  const undo = change.enabled ? 'disable.conf' : 'enable.conf';
  const add = change.enabled ? 'enable.conf' : 'disable.conf';
  const undone = without(before[undo], rule);
  if (undone !== before[undo]) folder.writeEdits(undo, undone);
  const id = `${rule.gid}:${rule.sid}`;
  if (!needsLine(folder, rule, change.enabled)) return;
  const why = change.comment === undefined ? '' : `: ${change.comment.replace(/[\r\n]+/g, ' ')}`;
  const note = `# ${new Date(change.nowMs).toISOString().slice(0, 10)} ${change.actor}${why}`;
  const other = before[add];
  folder.writeEdits(add, `${other}${other === '' || other.endsWith('\n') ? '' : '\n'}${note}\n${id}\n`);
  if (change.enabled || !folder.edits().enable.some((e) => e.matches(rule))) return;
  folder.writeEdits(add, other);
  throw new AppError({
    kind: 'user',
    code: 'rules.choice_stands',
    message: `A line of enable.conf that chooses several rules keeps ${id} on.`,
    fix: `Change that line in ${folder.path}/enable.conf.`,
  });
}

/** False when taking a line back was enough. */
function needsLine(folder: RuleFolder, rule: EditedRule, enabled: boolean): boolean {
  const edits = folder.edits();
  const isOff = edits.disable.some((e) => e.matches(rule));
  const isOn = edits.enable.some((e) => e.matches(rule));
  const inFile = rule.enabledInFile;
  const now = isOn || (inFile && !isOff);
  return now !== enabled;
}

/** The text without lines that name this rule alone, and the note right before them. */
function without(text: string, rule: EditedRule): string {
  const lines = text.split('\n');
  const own = new RegExp(`^\\s*(?:${rule.gid}\\s*:\\s*${rule.gid === 1 ? '|' : ''})${rule.sid}\\s*(?:#.*)?$`);
  const kept: string[] = [];
  for (const line of lines) {
    if (!own.test(line)) kept.push(line);
    else if (/^# \d{4}-\d\d-\d\d \S/.test(kept.at(-1) ?? '')) kept.pop();
  }
  return kept.join('\n');
}
