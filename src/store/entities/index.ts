import type { EntitySchema } from 'typeorm';
import type { StoreKind } from '../columns.js';
import { auditEntity, sessionEntity, tokenEntity, userEntity } from './account.js';
import { alertEntity } from './alert.js';
import { allowEntity, decisionAlertEntity, decisionEntity, decisionHistoryEntity } from './decision.js';
import { commentEntity, incidentEntity } from './incident.js';
import { labelEntity, policyVersionEntity, settingEntity } from './knowledge.js';
import { flowEntity, flowRollupEntity, timelineEntity } from './traffic.js';

/** Every table of the store, for one kind of database. */
export function createEntities(kind: StoreKind) {
  return {
    alert: alertEntity(kind),
    incident: incidentEntity(),
    comment: commentEntity(),
    decision: decisionEntity(kind),
    decisionAlert: decisionAlertEntity(),
    decisionHistory: decisionHistoryEntity(),
    allow: allowEntity(),
    flow: flowEntity(),
    flowRollup: flowRollupEntity(),
    timeline: timelineEntity(),
    user: userEntity(kind),
    session: sessionEntity(),
    token: tokenEntity(),
    audit: auditEntity(kind),
    label: labelEntity(kind),
    setting: settingEntity(kind),
    policyVersion: policyVersionEntity(kind),
  } satisfies Record<string, EntitySchema<never> | EntitySchema>;
}
export type Entities = ReturnType<typeof createEntities>;
