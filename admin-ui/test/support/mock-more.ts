/**
 * Empty or small answers of the parts that the browser tests against the mock only pass by; what these parts do is
 * tested against the real server in test/e2e.
 */
const page = { items: [], nextCursor: null };

export const MORE: readonly [method: string, path: RegExp, answer: unknown][] = [
  [
    'GET',
    /^\/(views|drift|changes|training\/runs|rules\/files|suppressions|hosts|response-requests|auth\/passkeys)$/,
    page,
  ],
  ['GET', /^\/siem\/[^/]+\/(receipts|gaps|dead-letters)$/, page],
  ['GET', /^\/alerts\/[^/]+\/packets$/, { ...page, total: 0 }],
  ['GET', /^\/siem-deliveries\/[^/]+$/, { id: '', events: [] }],
  ['GET', /^\/labels\/queue$/, { alerts: [], flows: [] }],
  [
    'GET',
    /^\/alerts\/[^/]+\/explanation$/,
    {
      model: 'flow-classifier',
      version: '1',
      method: 'tree_shap',
      score: 0.9,
      threshold: 0.8,
      base: 0.4,
      output: 0.9,
      features: [
        {
          name: 'packets_fwd',
          description: 'Packets sent',
          value: 212,
          usual: 3,
          share: 0.5,
          text: '212 packets; usual: 3',
        },
      ],
    },
  ],
  [
    'GET',
    /^\/rules$/,
    { ...page, total: 0, counts: { enabled: 0, disabled: 0, failed: 0 }, classtypes: [], files: [], hitsSinceMs: 0 },
  ],
  ['GET', /^\/addresses\/[^/]+$/, { address: '', reverseName: null, country: null, network: null }],
  ['POST', /^\/incidents\/activity$/, { fromMs: 0, stepSecs: 3600, items: [] }],
  ['GET', /^\/policy-schema$/, { type: 'object', properties: {} }],
  [
    'GET',
    /^\/setup$/,
    {
      finished: true,
      interfaces: [],
      homeNetworks: ['192.0.2.0/24'],
      suggestedNetworks: [],
      protected: [],
      siem: [],
      mode: 'enforce',
      learning: null,
      canary: null,
      observed: { sinceMs: 0, alerts: 0, simulatedBlocks: 0, flows: 0 },
    },
  ],
  [
    'GET',
    /^\/siem\/[^/]+$/,
    {
      name: 'splunk',
      state: 'ok',
      warning: '',
      preset: '',
      format: 'cef',
      transport: 'tcp',
      target: '',
      guarantee: 'at-least-once',
      sent: 0,
      confirmed: 0,
      resent: 0,
      filtered: 0,
      merged: 0,
      dropped: 0,
      dead: 0,
      lagSecs: 0,
      backlogEvents: 0,
      backlogBytes: 0,
      lastError: null,
      lastErrorMs: null,
      lastConfirmedMs: null,
    },
  ],
];
