import { EntitySchema } from 'typeorm';
import { columns } from '../columns.js';

export interface FlowRow {
  id: string;
  sensor: string;
  flowId: number;
  communityId: string;
  ipVersion: number;
  proto: number;
  srcIp: string;
  srcKey: string;
  srcPort: number;
  dstIp: string;
  dstKey: string;
  dstPort: number;
  startUs: number;
  endUs: number;
  endMs: number;
  packetsFwd: number;
  packetsBwd: number;
  bytesFwd: number;
  bytesBwd: number;
  payloadFwd: number;
  payloadBwd: number;
  tcpFlagsFwd: number;
  tcpFlagsBwd: number;
  tcpState: number;
  endReason: string;
  vlan: number;
  interfaceId: number;
  icmpType: number;
  icmpCode: number;
  appProto: string;
}

export const flowEntity = (): EntitySchema<FlowRow> =>
  new EntitySchema<FlowRow>({
    name: 'flow',
    tableName: 'flows',
    columns: {
      id: columns.id,
      sensor: columns.text(64),
      flowId: columns.big,
      communityId: columns.text(40),
      ipVersion: columns.int,
      proto: columns.int,
      srcIp: columns.text(45),
      srcKey: columns.addressKey,
      srcPort: columns.int,
      dstIp: columns.text(45),
      dstKey: columns.addressKey,
      dstPort: columns.int,
      startUs: columns.real,
      endUs: columns.real,
      endMs: columns.big,
      packetsFwd: columns.big,
      packetsBwd: columns.big,
      bytesFwd: columns.big,
      bytesBwd: columns.big,
      payloadFwd: columns.big,
      payloadBwd: columns.big,
      tcpFlagsFwd: columns.int,
      tcpFlagsBwd: columns.int,
      tcpState: columns.int,
      endReason: columns.text(16),
      vlan: columns.int,
      interfaceId: columns.int,
      icmpType: columns.int,
      icmpCode: columns.int,
      appProto: columns.text(32),
    },
    indices: [
      { name: 'flows_time', columns: ['endMs', 'id'] },
      { name: 'flows_src', columns: ['srcKey', 'endMs', 'id'] },
      { name: 'flows_dst', columns: ['dstKey', 'endMs', 'id'] },
      { name: 'flows_port', columns: ['dstPort', 'endMs', 'id'] },
      { name: 'flows_src_port', columns: ['srcPort', 'endMs', 'id'] },
      { name: 'flows_app', columns: ['appProto', 'endMs', 'id'] },
      { name: 'flows_community', columns: ['communityId', 'endMs', 'id'] },
    ],
  });

/**
 * Sums by minute and by hour of what the overview shows (protocols, talkers, labels, offenders, ...), so that it never
 * scans flows or alerts. `kind` is `protocol`, `label`, ... for a minute and `protocol:h`, ... for an hour.
 */
export interface RollupRow {
  kind: string;
  atMs: number;
  name: string;
  flows: number;
  packets: number;
  bytes: number;
  alerts: number;
  /** Newest of what was added up, epoch milliseconds. */
  lastMs: number;
}

export const rollupEntity = (): EntitySchema<RollupRow> =>
  new EntitySchema<RollupRow>({
    name: 'rollup',
    tableName: 'rollups',
    columns: {
      kind: { ...columns.text(16), primary: true },
      atMs: { ...columns.big, primary: true },
      name: { ...columns.text(128), primary: true },
      flows: columns.big,
      packets: columns.big,
      bytes: columns.big,
      alerts: columns.big,
      lastMs: columns.big,
    },
    indices: [{ name: 'rollups_time', columns: ['atMs'] }],
  });

export interface TimelineRow {
  atMs: number;
  packets: number;
  bytes: number;
  flows: number;
  kernelDrops: number;
  alerts: number;
  blocks: number;
}

export const timelineEntity = (): EntitySchema<TimelineRow> =>
  new EntitySchema<TimelineRow>({
    name: 'timeline',
    tableName: 'timeline',
    columns: {
      atMs: { ...columns.big, primary: true },
      packets: columns.big,
      bytes: columns.big,
      flows: columns.big,
      kernelDrops: columns.big,
      alerts: columns.big,
      blocks: columns.big,
    },
  });
