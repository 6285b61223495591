import type { EntitySchema } from 'typeorm';
import type { StoreKind } from '../columns.js';
import { auditEntity, sessionEntity, tokenEntity, userEntity } from './account.js';
import { alertBodyEntity, alertEntity, alertTextEntity } from './alert.js';
import { allowEntity, decisionAlertEntity, decisionEntity, decisionHistoryEntity } from './decision.js';
import { commentEntity, incidentEntity } from './incident.js';
import { labelEntity, policyVersionEntity, settingEntity } from './knowledge.js';
import { responseRequestEntity } from './response-request.js';
import { flowSampleEntity, trainingRunEntity } from './training.js';
import { passkeyEntity } from './passkey.js';
import { hostHourEntity } from './host.js';
import { suppressionEntity } from './suppression.js';
import { viewEntity } from './view.js';
import { flowEntity, rollupEntity, timelineEntity } from './traffic.js';

/** Every table of the store, for one kind of database. */
export function createEntities(kind: StoreKind) {
  return {
    alert: alertEntity(),
    alertBody: alertBodyEntity(kind),
    alertText: alertTextEntity(),
    incident: incidentEntity(),
    comment: commentEntity(),
    decision: decisionEntity(kind),
    decisionAlert: decisionAlertEntity(),
    decisionHistory: decisionHistoryEntity(),
    allow: allowEntity(),
    flow: flowEntity(),
    rollup: rollupEntity(),
    timeline: timelineEntity(),
    user: userEntity(kind),
    session: sessionEntity(),
    token: tokenEntity(),
    audit: auditEntity(kind),
    hostHour: hostHourEntity(),
    view: viewEntity(),
    suppression: suppressionEntity(),
    passkey: passkeyEntity(),
    label: labelEntity(kind),
    setting: settingEntity(kind),
    policyVersion: policyVersionEntity(kind),
    trainingRun: trainingRunEntity(kind),
    flowSample: flowSampleEntity(kind),
    responseRequest: responseRequestEntity(kind),
  } satisfies Record<string, EntitySchema<never> | EntitySchema>;
}
export type Entities = ReturnType<typeof createEntities>;
