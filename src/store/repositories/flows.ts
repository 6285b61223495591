import type { FlowEndReason, FlowRecord } from '../../domain/flow.js';
import { uuid7 } from '../../util/uuid7.js';
import { addressKey } from '../address-key.js';
import { bulkInsert } from '../bulk-insert.js';
import { clip } from '../columns.js';
import type { Database } from '../data-source.js';
import type { FlowRow } from '../entities/traffic.js';
import { In } from 'typeorm';
import { inOrderOf, walkPage, type WalkSpec } from '../page-walk.js';
import type { PageRequest, PageResult } from '../paging.js';
import { addressField, numberField, textField, timeField, type SearchFields } from '../search.js';
import { protocolField } from './protocol-field.js';

const FIELDS: SearchFields = {
  ip: addressField('f.srcKey', 'f.dstKey'),
  src: addressField('f.srcKey'),
  dst: addressField('f.dstKey'),
  port: numberField('f.srcPort', 'f.dstPort'),
  proto: protocolField('f.proto'),
  app: textField('f.appProto'),
  bytes: numberField('(f.bytesFwd + f.bytesBwd)'),
  packets: numberField('(f.packetsFwd + f.packetsBwd)'),
  sensor: textField('f.sensor'),
  community: textField('f.communityId'),
  after: timeField('f.endMs', '>='),
  before: timeField('f.endMs', '<'),
  '': (term, bind) => `f.appProto = ${bind(term.value.toLowerCase())} OR f.communityId = ${bind(term.value)}`,
};

const WALK: WalkSpec = {
  alias: 'f',
  time: 'endMs',
  fields: FIELDS,
  indexed: new Set(['f.srcKey', 'f.dstKey', 'f.srcPort', 'f.dstPort', 'f.appProto', 'f.communityId']),
};

/** A flow as stored: what the sensor reported, and which sensor. */
export type StoredFlow = FlowRecord & { id: string; sensor: string };
export interface FlowWrite {
  sensor: string;
  flow: FlowRecord;
}

function toRow({ sensor, flow }: FlowWrite): FlowRow {
  return {
    ...flow,
    id: uuid7(),
    sensor: clip(sensor, 64),
    srcKey: addressKey(flow.srcIp),
    dstKey: addressKey(flow.dstIp),
    endMs: Math.floor(flow.endUs / 1000),
    appProto: clip(flow.appProto ?? '', 32),
  };
}

function fromRow(row: FlowRow): StoredFlow {
  const { srcKey: _src, dstKey: _dst, endMs: _end, appProto, ipVersion, endReason, ...rest } = row;
  return {
    ...rest,
    ipVersion: ipVersion === 6 ? 6 : 4,
    endReason: endReason as FlowEndReason,
    ...(appProto === '' ? {} : { appProto }),
  };
}

export interface FlowRepository {
  /** Never waits. @returns false when the queue was full and the oldest flow was dropped. */
  queue(sensor: string, flow: FlowRecord): boolean;
  list(page: PageRequest): Promise<PageResult<StoredFlow>>;
}

export async function writeFlows(db: Database, batch: readonly FlowWrite[]): Promise<void> {
  await db.write((manager) => bulkInsert(db, manager, db.entities.flow, batch.map(toRow)));
}

export function createFlowRepository(db: Database, push: (write: FlowWrite) => boolean): FlowRepository {
  const rows = db.manager.getRepository(db.entities.flow);
  return {
    queue: (sensor, flow) => push({ sensor, flow }),
    async list(page) {
      const { ids, nextCursor } = await walkPage(rows, page, WALK);
      const found = ids.length === 0 ? [] : await rows.findBy({ id: In(ids) });
      return { items: inOrderOf(ids, found).map(fromRow), nextCursor };
    },
  };
}
