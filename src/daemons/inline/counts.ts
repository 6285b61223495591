/** What an inspector did, since it was made; shown as `inline_*`. */
export function inspectorCounts() {
  return {
    judged: 0,
    judged_bytes: 0,
    dropped: 0,
    dropped_bytes: 0,
    would_drop: 0,
    flows_cut: 0,
    marked: 0,
    directions_bypassed: 0,
    held_too_long: 0,
    held_refused: 0,
    holes_cut: 0,
    exception_memory: 0,
    exception_midstream: 0,
    exception_parser_error: 0,
    exception_truncated: 0,
    exception_urgent: 0,
    invalid: 0,
    decision_drops: 0,
  };
}
export type InspectorCounts = ReturnType<typeof inspectorCounts>;
