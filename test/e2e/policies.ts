/** The shipped scan policy with a first step short enough to watch it end. */
export function scanPolicy(firstStep: string): Record<string, string> {
  const text = `
format: 1
name: scan
description: Scanners are blocked, shortly at first.
when:
  labels: [port_scan, host_sweep]
  min_confidence: 0.5
respond:
  ladder:
    - { action: block, scope: ip, duration: ${firstStep} }
    - { action: block, scope: ip, duration: 10m }
  when_spoofable: rate_limit
`;
  return { 'scan.yaml': text };
}
