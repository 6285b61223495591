import { idParamsSchema } from './common.js';
import { defineOperations } from './operation.js';
import { packetDetailSchema, packetNumberSchema, packetPageSchema, packetQuerySchema } from './packets.js';

const packetParams = idParamsSchema.extend({ number: packetNumberSchema });

/** Packets that sensors kept around alerts (capture.evidence), and everything about an alert or incident in one file. */
export const evidenceOperations = defineOperations({
  listAlertPackets: {
    method: 'get',
    path: '/alerts/:id/packets',
    summary: 'Packets kept around an alert; empty when the sensor kept none',
    access: 'analyst',
    rate: 'read',
    params: idParamsSchema,
    query: packetQuerySchema,
    status: 200,
    response: packetPageSchema,
  },
  getAlertPacket: {
    method: 'get',
    path: '/alerts/:id/packets/:number',
    summary: 'One packet kept around an alert: layers and bytes',
    access: 'analyst',
    rate: 'read',
    params: packetParams,
    status: 200,
    response: packetDetailSchema,
  },
  downloadAlertPcap: {
    method: 'get',
    path: '/alerts/:id/pcap',
    summary: 'The packets kept around an alert as a pcap file',
    access: 'analyst',
    rate: 'heavy',
    params: idParamsSchema,
    status: 200,
    download: ['application/vnd.tcpdump.pcap'],
  },
  downloadAlertBundle: {
    method: 'get',
    path: '/alerts/:id/bundle',
    summary: 'Evidence of an alert as a zip: alert, verdict, decisions, flows, labels, audit, pcap, hashes',
    access: 'analyst',
    rate: 'heavy',
    params: idParamsSchema,
    status: 200,
    download: ['application/zip'],
  },
  downloadIncidentBundle: {
    method: 'get',
    path: '/incidents/:id/bundle',
    summary: 'Evidence of an incident as a zip: alerts, verdicts, decisions, flows, comments, audit, pcaps, hashes',
    access: 'analyst',
    rate: 'heavy',
    params: idParamsSchema,
    status: 200,
    download: ['application/zip'],
  },
});
