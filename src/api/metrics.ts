/** Prometheus text exposition (version 0.0.4) of counters and gauges. */
export function formatMetrics(values: Record<string, number>): string {
  const lines: string[] = [];
  for (const [name, value] of Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const metric = `portcullis_${name.toLowerCase().replaceAll(/[^a-z0-9_]/g, '_')}`;
    if (Number.isFinite(value)) lines.push(`${metric} ${value}`);
  }
  return `${lines.join('\n')}\n`;
}
