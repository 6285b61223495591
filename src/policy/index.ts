export { createBlastTracker, type BlastTracker, type BlastTrackerOptions } from './blast.js';
export {
  backtest,
  type BacktestBlock,
  type BacktestInput,
  type BacktestResult,
  type InnocentReason,
} from './backtest.js';
export { policyCasesSchema, runPolicyCase, type CaseResult, type PolicyCase, type PolicyCases } from './cases.js';
export { createPolicyEngine, type Judgement, type PolicyEngine, type PolicyEngineDeps } from './engine.js';
export { type BlastRadius, type GuardDeps } from './guards.js';
export { judgeOnce } from './judge-once.js';
export { loadPolicyFolder, policyError, type PolicyFolder } from './load.js';
export { alertDirection, type AlertDirection } from './match.js';
export { policyOptionsSchema, type PolicyOptions } from './options.js';
export { parsePolicy, type ParseResult } from './parse.js';
export { policyJsonSchema, policySchema, type Policy } from './schema.js';
