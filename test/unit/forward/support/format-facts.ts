/**
 * Facts about the fields that Portcullis sends, one compact table a format: what the project's own tests check without
 * the full schemas. `schemas.test.ts` checks the same documents against the full ones where they are at hand.
 */

/** ECS 9.4 fields: type, and `[]` where ECS normalises to a list. */
export const ECS_FIELDS: Readonly<Record<string, 'date' | 'text' | 'text[]' | 'long' | 'float' | 'ip' | 'ip[]'>> = {
  '@timestamp': 'date',
  message: 'text',
  tags: 'text[]',
  'ecs.version': 'text',
  'data_stream.type': 'text',
  'data_stream.dataset': 'text',
  'data_stream.namespace': 'text',
  'error.message': 'text',
  'event.kind': 'text',
  'event.category': 'text[]',
  'event.type': 'text[]',
  'event.action': 'text',
  'event.outcome': 'text',
  'event.id': 'text',
  'event.code': 'text',
  'event.created': 'date',
  'event.start': 'date',
  'event.end': 'date',
  'event.severity': 'long',
  'event.risk_score': 'float',
  'event.reason': 'text',
  'event.module': 'text',
  'event.dataset': 'text',
  'event.provider': 'text',
  'rule.id': 'text',
  'rule.name': 'text',
  'rule.version': 'text',
  'rule.ruleset': 'text',
  'rule.category': 'text',
  'threat.framework': 'text',
  'threat.tactic.id': 'text[]',
  'threat.tactic.name': 'text[]',
  'threat.technique.id': 'text[]',
  'threat.technique.name': 'text[]',
  'threat.technique.subtechnique.id': 'text[]',
  'threat.technique.subtechnique.name': 'text[]',
  'source.ip': 'ip',
  'source.address': 'text',
  'source.port': 'long',
  'source.mac': 'text',
  'source.bytes': 'long',
  'source.packets': 'long',
  'destination.ip': 'ip',
  'destination.address': 'text',
  'destination.port': 'long',
  'destination.mac': 'text',
  'destination.bytes': 'long',
  'destination.packets': 'long',
  'network.transport': 'text',
  'network.protocol': 'text',
  'network.type': 'text',
  'network.iana_number': 'text',
  'network.direction': 'text',
  'network.community_id': 'text',
  'network.bytes': 'long',
  'network.packets': 'long',
  'observer.vendor': 'text',
  'observer.product': 'text',
  'observer.version': 'text',
  'observer.type': 'text',
  'observer.name': 'text',
  'observer.hostname': 'text',
  'observer.ip': 'ip[]',
  'observer.ingress.interface.name': 'text',
  'related.ip': 'ip[]',
  'related.user': 'text[]',
  'user.name': 'text',
};

/** ECS 9.4 `event.category` -> expected `event.type`, for the categories that Portcullis uses. */
export const ECS_TYPES: Readonly<Record<string, readonly string[]>> = {
  intrusion_detection: ['allowed', 'denied', 'info'],
  network: ['access', 'allowed', 'connection', 'denied', 'end', 'info', 'protocol', 'start'],
  host: ['access', 'change', 'end', 'info', 'start'],
  configuration: ['access', 'change', 'creation', 'deletion', 'info'],
};

/** Keys that Suricata 7.0 and 8.0 both allow, at the top level and in `alert` and `flow`. */
export const EVE_KEYS = {
  top: [
    'timestamp', 'event_type', 'host', 'flow_id', 'in_iface', 'src_ip', 'src_port', 'dest_ip', 'dest_port', 'proto',
    'app_proto', 'community_id', 'alert', 'verdict', 'flow', 'direction',
  ],
  alert: ['action', 'gid', 'signature_id', 'rev', 'signature', 'category', 'severity', 'metadata'],
  flow: ['pkts_toserver', 'pkts_toclient', 'bytes_toserver', 'bytes_toclient', 'start'],
} as const; // prettier-ignore

/** OCSF 1.8: what each class requires, and the identifiers that Portcullis may use. */
export const OCSF_CLASSES: Readonly<Record<number, { required: readonly string[]; activities: readonly number[] }>> = {
  2004: {
    required: [
      'activity_id',
      'category_uid',
      'class_uid',
      'metadata',
      'severity_id',
      'time',
      'type_uid',
      'finding_info',
    ],
    activities: [0, 1, 2, 3, 99],
  },
  7004: {
    required: [
      'activity_id', 'category_uid', 'class_uid', 'metadata', 'severity_id', 'time', 'type_uid', 'command_uid',
      'connection_info',
    ], // prettier-ignore
    activities: [0, 1, 2, 3, 4, 5, 99],
  },
  0: {
    required: ['activity_id', 'category_uid', 'class_uid', 'metadata', 'severity_id', 'time', 'type_uid'],
    activities: [0, 99],
  },
};

/** Splunk CIM, Intrusion Detection: fields with fixed values. */
export const CIM_ENUMS: Readonly<Record<string, readonly string[]>> = {
  action: ['allowed', 'blocked'],
  ids_type: ['network', 'host', 'application', 'wireless'],
  severity: ['critical', 'high', 'medium', 'low', 'informational'],
};
export const CIM_RECOMMENDED = [
  'category',
  'dvc',
  'ids_type',
  'severity',
  'signature',
  'src',
  'vendor_product',
] as const;

/** LEEF 2.0 keys that QRadar normalises, of those that Portcullis sends. */
export const LEEF_NORMALISED: Readonly<Record<string, RegExp>> = {
  cat: /^.+$/,
  devTime: /^\d{13}$/,
  proto: /^[A-Za-z0-9-]+$/,
  sev: /^([1-9]|10)$/,
  src: /^[0-9a-f.:]+$/i,
  dst: /^[0-9a-f.:]+$/i,
  srcPort: /^\d{1,5}$/,
  dstPort: /^\d{1,5}$/,
  srcMAC: /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i,
  dstMAC: /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i,
  usrName: /^.{1,255}$/,
};
