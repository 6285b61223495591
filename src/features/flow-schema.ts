import type { FeatureDefinition, FeatureSchema } from '../domain/feature.js';
import { activityFeatures } from './activity.js';
import { historyFeatures } from './history.js';
import { arrivalFeatures } from './inter-arrival.js';
import { newcomerFeatures } from './newcomers.js';
import { lengthFeatures } from './packet-length.js';
import { tcpFeatures } from './tcp-behaviour.js';
import { volumeFeatures } from './volume.js';

const PROTOCOLS = ['tcp', 'udp', 'icmp', 'other'] as const;
const PORT_CLASSES = ['none', 'well_known', 'registered', 'ephemeral'] as const;

const generalFeatures: readonly FeatureDefinition[] = [
  { name: 'duration', kind: 'numeric', unit: 's', description: 'Time from the first to the latest packet.' },
  {
    name: 'protocol',
    kind: 'category',
    unit: '',
    description: 'Transport protocol; ICMPv6 counts as icmp.',
    vocabulary: PROTOCOLS,
  },
  {
    name: 'dst_port_class',
    kind: 'category',
    unit: '',
    description: 'IANA range of the destination port (RFC 6335): 0-1023, 1024-49151, 49152-65535; none without ports.',
    vocabulary: PORT_CLASSES,
  },
];

/**
 * Flow statistics, after the feature list of CICFlowMeter where it serves, plus history windows. Addresses, port
 * numbers and TTL are left out on purpose: in laboratory traffic they identify the generator, not the behaviour.
 */
export const FLOW_SCHEMA: FeatureSchema = {
  name: 'flow',
  version: 2,
  features: [
    ...generalFeatures,
    ...volumeFeatures,
    ...lengthFeatures,
    ...arrivalFeatures,
    ...tcpFeatures,
    ...activityFeatures,
    ...historyFeatures,
    ...newcomerFeatures,
  ],
};

/** Features of what was before the flow and around it: the last ones, frozen at the early vector. */
export const HISTORY_WIDTH = historyFeatures.length + newcomerFeatures.length;
/** Index of the first of them. */
export const HISTORY_AT = FLOW_SCHEMA.features.length - HISTORY_WIDTH;
