import { backupOperations } from './backups.js';
import { bulkDecisionOperations } from './bulk-decisions.js';
import { rulesetOperations } from './ruleset.js';
import { evidenceOperations } from './evidence.js';
import { injectionOperations } from './injections.js';
import { settingsOperations } from './settings.js';
import { hostOperations } from './hosts.js';
import { passkeyOperations } from './passkeys.js';
import { captureOperations } from './captures.js';
import { accountOperations } from './accounts.js';
import { addressFactOperations } from './address-facts.js';
import { alertOperations } from './alerts.js';
import { authOperations } from './auth.js';
import { backtestOperations } from './backtests.js';
import { changeOperations } from './changes.js';
import { inlineOperations } from './inline.js';
import { baselineOperations } from './baselines.js';
import { decisionOperations } from './decisions.js';
import { incidentOperations } from './incidents.js';
import { fleetOperations } from './fleet.js';
import { intelOperations } from './intel.js';
import { labelQueueOperations } from './label-queue.js';
import { modelOperations } from './models.js';
import { trainingOperations } from './training.js';
import { policyOperations } from './policies.js';
import { policySchemaOperations } from './policy-schema.js';
import { responseOperations } from './response-requests.js';
import { ruleOperations } from './rules.js';
import { siemOperations } from './siem.js';
import { suppressionOperations } from './suppressions.js';
import { systemOperations } from './system.js';
import { exportOperations } from './exports.js';
import { trafficOperations } from './traffic.js';
import { viewOperations } from './views.js';

export const API_PREFIX = '/api/v1';

/** Every route of the API, by operation id. */
export const OPERATIONS = {
  ...authOperations,
  ...systemOperations,
  ...alertOperations,
  ...incidentOperations,
  ...decisionOperations,
  ...responseOperations,
  ...siemOperations,
  ...trafficOperations,
  ...viewOperations,
  ...captureOperations,
  ...passkeyOperations,
  ...hostOperations,
  ...settingsOperations,
  ...evidenceOperations,
  ...injectionOperations,
  ...exportOperations,
  ...baselineOperations,
  ...fleetOperations,
  ...intelOperations,
  ...ruleOperations,
  ...policyOperations,
  ...policySchemaOperations,
  ...changeOperations,
  ...inlineOperations,
  ...backtestOperations,
  ...modelOperations,
  ...trainingOperations,
  ...labelQueueOperations,
  ...accountOperations,
  ...bulkDecisionOperations,
  ...backupOperations,
  ...rulesetOperations,
  ...suppressionOperations,
  ...addressFactOperations,
};
export type OperationId = keyof typeof OPERATIONS;
