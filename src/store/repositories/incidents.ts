import type { Incident, IncidentState } from '../../domain/incident.js';
import { SEVERITIES, severityRank } from '../../domain/severity.js';
import { uuid7 } from '../../util/uuid7.js';
import { addressKey } from '../address-key.js';
import { bulkInsert } from '../bulk-insert.js';
import { clip } from '../columns.js';
import type { Database } from '../data-source.js';
import type { CommentRow, IncidentRow } from '../entities/incident.js';
import { In } from 'typeorm';
import { inOrderOf, walkPage, type WalkSpec } from '../page-walk.js';
import type { PageRequest, PageResult } from '../paging.js';
import {
  addressField,
  freeTextField,
  listField,
  rankField,
  textField,
  timeField,
  wordField,
  type SearchFields,
} from '../search.js';
import { incidentActivity, type ActivitySpan, type IncidentActivity } from './activity.js';
import type { WriteBehind } from '../write-behind.js';

const FIELDS: SearchFields = {
  ip: addressField('i.offenderKey'),
  label: listField('i.labels'),
  owner: textField('i.owner'),
  severity: rankField('i.severity', SEVERITIES),
  after: timeField('i.lastMs', '>='),
  before: timeField('i.lastMs', '<'),
  is: wordField({
    new: "i.state = 'new'",
    open: "i.state = 'open'",
    resolved: "i.state = 'resolved'",
    false_positive: "i.state = 'false_positive'",
    owned: "i.owner <> ''",
    unowned: "i.owner = ''",
  }),
  '': freeTextField('i.search'),
};

const WALK: WalkSpec = {
  alias: 'i',
  time: 'lastMs',
  fields: FIELDS,
  indexed: new Set(['i.offenderKey', 'i.state']),
};

function toRow(incident: Incident): IncidentRow {
  const words = [incident.title, incident.offender, ...incident.labels].join(' ').toLowerCase();
  return {
    id: incident.id,
    offender: clip(incident.offender, 45),
    offenderKey: addressKey(incident.offender),
    title: clip(incident.title, 255),
    severity: severityRank(incident.severity),
    state: incident.state,
    owner: incident.owner ?? '',
    alertCount: incident.alertCount,
    labels: fence(incident.labels),
    firstMs: incident.firstMs,
    lastMs: incident.lastMs,
    search: clip(words, 512),
  };
}

/** `,a,b,` with as many whole labels as fit the column. */
function fence(labels: readonly string[]): string {
  let text = ',';
  for (const label of labels) {
    if (text.length + label.length + 1 > 1024) break;
    text += `${label.toLowerCase()},`;
  }
  return text;
}

function fromRow(row: IncidentRow): Incident {
  return {
    id: row.id,
    offender: row.offender,
    title: row.title,
    severity: SEVERITIES[row.severity] ?? 'info',
    state: row.state as IncidentState,
    ...(row.owner === '' ? {} : { owner: row.owner }),
    alertCount: row.alertCount,
    labels: row.labels.split(',').filter((label) => label !== ''),
    firstMs: row.firstMs,
    lastMs: row.lastMs,
  };
}

/** What people change of an incident; a null owner is nobody. */
export interface IncidentChange {
  state?: IncidentState | undefined;
  owner?: string | null | undefined;
}

function columnsOf({ state, owner }: IncidentChange): Partial<Pick<IncidentRow, 'state' | 'owner'>> {
  return { ...(state === undefined ? {} : { state }), ...(owner === undefined ? {} : { owner: owner ?? '' }) };
}

export interface IncidentComment {
  id: string;
  incidentId: string;
  user: string;
  text: string;
  createdMs: number;
}

export interface IncidentRepository {
  /** Never waits. State and owner of a stored incident belong to people and are not overwritten. */
  queue(incident: Incident): boolean;
  get(id: string): Promise<Incident | undefined>;
  list(page: PageRequest): Promise<PageResult<Incident>>;
  /** @param expect what must still be so; @returns undefined when it is not, or when there is no such incident */
  change(id: string, change: IncidentChange, expect?: IncidentChange): Promise<Incident | undefined>;
  activity(ids: readonly string[], span: ActivitySpan): Promise<IncidentActivity[]>;
  comment(incidentId: string, user: string, text: string): Promise<IncidentComment>;
  comments(incidentId: string): Promise<IncidentComment[]>;
}

const INCIDENT_GROWS = ['title', 'severity', 'alertCount', 'labels', 'lastMs', 'search'] as const;

export async function writeIncidents(db: Database, batch: readonly Incident[]): Promise<void> {
  const newest = new Map(batch.map((incident) => [incident.id, incident]));
  const rows = [...newest.values()].map(toRow);
  await db.write((manager) => bulkInsert(db, manager, db.entities.incident, rows, INCIDENT_GROWS));
}

export function createIncidentRepository(db: Database, writes: WriteBehind<Incident>): IncidentRepository {
  const rows = db.manager.getRepository(db.entities.incident);
  const comments = db.manager.getRepository(db.entities.comment);

  const get = async (id: string): Promise<Incident | undefined> => {
    await writes.settle();
    const row = await rows.findOneBy({ id });
    return row ? fromRow(row) : undefined;
  };

  return {
    queue: (incident) => writes.push(incident),
    get,
    async list(page) {
      const { ids, nextCursor } = await walkPage(rows, page, WALK);
      const found = ids.length === 0 ? [] : await rows.findBy({ id: In(ids) });
      return { items: inOrderOf(ids, found).map(fromRow), nextCursor };
    },
    async change(id, change, expect = {}) {
      await writes.flush();
      const where = { id, ...columnsOf(expect) };
      const result = await db.write((manager) => manager.update(db.entities.incident, where, columnsOf(change)));
      return result.affected === 1 ? get(id) : undefined;
    },
    activity: (ids, span) => incidentActivity(db, ids, span),
    async comment(incidentId, user, text) {
      const row: CommentRow = { id: uuid7(), incidentId, user, text: clip(text, 4000), createdMs: Date.now() };
      await db.write((manager) => manager.insert(db.entities.comment, row));
      return row;
    },
    comments: (incidentId) => comments.find({ where: { incidentId }, order: { createdMs: 'ASC', id: 'ASC' } }),
  };
}
