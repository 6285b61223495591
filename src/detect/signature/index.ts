export { SignatureEngine, type EngineDeps } from './engine.js';
export { loadRules, loadRulesGradually, type FileProblem, type LoadedRules, type LoadOptions } from './load.js';
export {
  signatureOptionsSchema,
  type RuleSourceOptions,
  type SignatureInput,
  type SignatureOptions,
} from './options.js';
export type { Rule } from './rule.js';
export type { AppView, PacketContent } from './scene.js';
export { compareRules } from './ruleset/compare.js';
export { EDIT_FILES, messageOf, type EditedRule, type RuleEdits } from './ruleset/edits.js';
export { publicUrl } from './ruleset/fetch.js';
export { openRuleFolder, type RuleFolder } from './ruleset/folder.js';
export { isNoalert } from './ruleset/rule-lines.js';
export { applyEdits, type RuleFileText } from './ruleset/rule-set.js';
export { lastUpdate, updateRules, type SourceUpdate, type UpdateReport } from './ruleset/update.js';
export { toSeverity } from './detection.js';
export { DEFAULT_CLASSES, parseClassification } from './parse/classification.js';
export { languageReference, type LanguageReference } from './reference.js';
