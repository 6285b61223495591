/** Lengths of the history windows, in seconds, as the features were computed. */
export interface Windows {
  shortSecs: number;
  longSecs: number;
}

/** The defaults of the feature stage. */
export const DEFAULT_WINDOWS: Windows = { shortSecs: 10, longSecs: 300 };

/** What stands behind the number of a feature; `{short}` and `{long}` are the windows. */
const PHRASES: Readonly<Record<string, string>> = {
  duration: 's from first to latest packet',
  packets_fwd: 'packets sent',
  packets_bwd: 'packets in answer',
  bytes_fwd: 'bytes sent',
  bytes_bwd: 'bytes in answer',
  payload_fwd: 'bytes of payload sent',
  payload_bwd: 'bytes of payload in answer',
  payload_packets_fwd: 'packets with payload sent',
  payload_packets_bwd: 'packets with payload in answer',
  payload_mean_fwd: 'bytes of payload in the average packet sent',
  payload_mean_bwd: 'bytes of payload in the average answer',
  packets_per_sec: 'packets a second',
  bytes_per_sec: 'bytes a second',
  packets_fwd_per_sec: 'packets a second sent',
  packets_bwd_per_sec: 'packets a second in answer',
  fin_count: 'packets with FIN',
  syn_count: 'packets with SYN',
  rst_count: 'packets with RST',
  psh_count: 'packets with PSH',
  ack_count: 'packets with ACK',
  urg_count: 'packets with URG',
  idle_mean: 's of silence on average',
  idle_max: 's of longest silence',
  src_short_connections: 'connections in {short} s',
  src_short_ports: 'distinct ports in {short} s',
  src_short_hosts: 'distinct hosts in {short} s',
  src_short_syn_unanswered: 'unanswered SYNs in {short} s',
  src_short_resets: 'refused connections in {short} s',
  src_long_connections: 'connections in {long} s',
  src_long_ports: 'distinct ports in {long} s',
  src_long_hosts: 'distinct hosts in {long} s',
  src_long_failed_share: '% of connections in {long} s failed',
  src_long_short_share: '% of flows in {long} s were very short',
  src_long_payload_fwd: 'bytes sent in the average flow of the source',
  src_long_payload_bwd: 'bytes received in the average flow of the source',
  pair_connections: 'connections between the two in {long} s',
  pair_ports: 'distinct ports between the two in {long} s',
  pair_failed_share: '% of connections between the two failed',
  pair_short_share: '% of flows between the two were very short',
  pair_payload_fwd: 'bytes sent in the average flow between the two',
  pair_payload_bwd: 'bytes received in the average flow between the two',
  pair_start_gap: 's between connections of the two',
  pair_regularity: '% regular, as by a clock, are the connections of the two',
  dst_connections: 'connections to the destination in {short} s',
  dst_sources: 'distinct sources to the destination in {short} s',
  dst_syn_unanswered: 'unanswered SYNs to the destination in {short} s',
  dst_resets: 'connections refused by the destination in {short} s',
  newcomers_unanswered: '% of all newcomers in the network in {short} s without an answer, beyond twenty',
};

/** `distinct ports in 10 s`; undefined for features that have no such words. */
export function phraseOf(name: string, windows: Windows): string | undefined {
  return PHRASES[name]?.replace('{short}', String(windows.shortSecs)).replace('{long}', String(windows.longSecs));
}
