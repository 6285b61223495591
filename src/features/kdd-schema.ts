import type { FeatureDefinition, FeatureKind, FeatureSchema } from '../domain/feature.js';
import { KDD_FLAGS } from './kdd-connection.js';
import { KDD_SERVICES } from './kdd-service.js';

const column = (name: string, kind: FeatureKind, unit: string, description: string): FeatureDefinition => ({
  name,
  kind,
  unit,
  description,
});
const category = (name: string, description: string, vocabulary: readonly string[]): FeatureDefinition => ({
  name,
  kind: 'category',
  unit: '',
  description,
  vocabulary,
});

const basic: readonly FeatureDefinition[] = [
  column('duration', 'numeric', 's', 'Time from the first to the latest packet of the connection.'),
  category('protocol_type', 'Transport protocol; ICMPv6 counts as icmp.', ['tcp', 'udp', 'icmp']),
  category('service', 'Service of the responder by its port, in the words of the KDD tables.', KDD_SERVICES),
  category('flag', "Bro's connection state; UDP and ICMP are SF as in the tables.", KDD_FLAGS),
  column('src_bytes', 'numeric', 'bytes', 'Payload from the originator.'),
  column('dst_bytes', 'numeric', 'bytes', 'Payload from the responder.'),
  column('land', 'flag', '', '1 when both addresses and both ports are equal.'),
  column(
    'wrong_fragment',
    'numeric',
    'packets',
    'Fragments that overlap, end beyond 65,535 bytes, or have more to follow and a length not divisible by 8.',
  ),
  column('urgent', 'numeric', 'packets', 'TCP packets with the URG flag.'),
];

const RATE = 'ratio';
const timeBased: readonly FeatureDefinition[] = [
  column('count', 'numeric', 'connections', 'Connections to the same destination host, this one included.'),
  column('srv_count', 'numeric', 'connections', 'Connections to the same service on any host, this one included.'),
  column('serror_rate', RATE, '', 'Share of `count` with SYN errors (S0, S1, S2, S3, SH).'),
  column('srv_serror_rate', RATE, '', 'Share of `srv_count` with SYN errors.'),
  column('rerror_rate', RATE, '', 'Share of `count` with reject errors (REJ, RSTO, RSTR, RSTOS0, RSTRH).'),
  column('srv_rerror_rate', RATE, '', 'Share of `srv_count` with reject errors.'),
  column('same_srv_rate', RATE, '', 'Share of `count` to the same service.'),
  column('diff_srv_rate', RATE, '', 'Distinct services among `count`, divided by it; 0 when there is one.'),
  column('srv_diff_host_rate', RATE, '', 'Distinct hosts among `srv_count`, divided by it; 0 when there is one.'),
];

const hostBased: readonly FeatureDefinition[] = [
  column('dst_host_count', 'numeric', 'connections', 'Connections to the same destination host.'),
  column('dst_host_srv_count', 'numeric', 'connections', 'Connections to the same service on any host.'),
  column('dst_host_same_srv_rate', RATE, '', 'Share of `dst_host_count` to the same service.'),
  column('dst_host_diff_srv_rate', RATE, '', 'Distinct services among `dst_host_count`, divided by it; 0 when one.'),
  column('dst_host_same_src_port_rate', RATE, '', 'Share of `dst_host_count` from the same source port.'),
  column(
    'dst_host_srv_diff_host_rate',
    RATE,
    '',
    'Distinct hosts among `dst_host_srv_count`, divided by it; 0 when one.',
  ),
  column('dst_host_serror_rate', RATE, '', 'Share of `dst_host_count` with SYN errors.'),
  column('dst_host_srv_serror_rate', RATE, '', 'Share of `dst_host_srv_count` with SYN errors.'),
  column('dst_host_rerror_rate', RATE, '', 'Share of `dst_host_count` with reject errors.'),
  column('dst_host_srv_rerror_rate', RATE, '', 'Share of `dst_host_srv_count` with reject errors.'),
];

/** Columns of the traffic features: what depends on other connections. */
export const KDD_TRAFFIC_AT = basic.length;
export const KDD_TRAFFIC_WIDTH = timeBased.length + hostBased.length;

/**
 * The 28 network features of KDD Cup 1999 (columns 1-9 and 23-41 of the 41; the rest come from host logs). Where the
 * task's prose and its published tables disagree, the tables decide, because models are trained on them.
 */
export const KDD_SCHEMA: FeatureSchema = {
  name: 'kdd',
  version: 1,
  features: [
    ...basic,
    ...timeBased.map((f) => ({ ...f, description: `Last 2 s: ${f.description}` })),
    ...hostBased.map((f) => ({ ...f, description: `Last 255 connections: ${f.description}` })),
  ],
};
