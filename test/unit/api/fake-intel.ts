import type { IntelControl } from '../../../src/api/index.js';

/** Threat intelligence for the API's tests: one feed that lists one address. */
export function fakeIntel(): IntelControl {
  const summary = () => ({
    items: [
      {
        name: 'sample',
        kind: 'list' as const,
        url: 'https://feeds.example/list.txt',
        enabled: true,
        block: false,
        refreshMinutes: 60,
        state: 'ok' as const,
        lastTryMs: 1,
        lastOkMs: 1,
        nextMs: 3_600_001,
        error: null,
        indicators: { ip: 1, cidr: 0, domain: 0, url: 0, ja3: 0, ja4: 0, sha256: 0 },
        rejected: 0,
        rejectedExamples: [],
        blocked: 0,
      },
    ],
    nextCursor: null,
    indicators: 1,
    shed: 0,
    tableBytes: 1024,
    builtMs: 1,
  });
  return {
    summary,
    refresh: summary,
    lookup: (value) => [{ type: 'ip', value, feeds: ['sample'], confidence: 0.7, label: 'malicious', validUntilMs: 0 }],
  };
}
