/** The import table of docs/development.md, checked by `npm run lint`. */
const STAGES = 'capture|decode|flow|features|detect|correlate|policy|enforce|inline|forward|ingest';
const stage = (name, extra = '') => ({
  name: `stage-${name}`,
  comment: 'A stage sees domain, util, contract and itself only; daemons, cli and tests wire stages together.',
  severity: 'error',
  from: { path: `^src/${name}/` },
  to: { path: '^src/', pathNot: `^src/(${name}|domain|util|contract${extra})/` },
});
const door = (name, pattern, allowed) => ({
  name: `door-${name}`,
  severity: 'error',
  from: { path: '^src/', pathNot: `^src/(${allowed})/` },
  to: { path: pattern },
});
module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'domain-imports-nothing',
      severity: 'error',
      from: { path: '^src/domain/' },
      to: { pathNot: '^src/domain/' },
    },
    {
      name: 'util-knows-no-domain',
      severity: 'error',
      from: { path: '^src/util/' },
      to: { path: '^src/', pathNot: '^src/util/' },
    },
    {
      name: 'contract-sees-domain-and-util',
      severity: 'error',
      from: { path: '^src/contract/' },
      to: { path: '^src/', pathNot: '^src/(contract|domain|util)/' },
    },
    ...STAGES.split('|').map((name) => stage(name)),
    stage('bus'),
    stage('fleet'),
    stage('store', '|__none'),
    stage('api', '|store|policy'),
    stage('train', '|capture|decode|flow|features'),
    {
      name: 'stages-have-one-face',
      comment: 'Outside its folder a stage is imported through its index.ts or options.ts.',
      severity: 'error',
      from: { path: '^src/([^/]+)/' },
      to: {
        path: `^src/(${STAGES}|store|api|train|bus|fleet)/`,
        pathNot: ['^src/$1/', '/(index|options)\\.ts$', '^src/detect/[^/]+/(index|options)\\.ts$'],
      },
    },
    door('pcap', '^node_modules/cap/', 'capture'),
    door('onnx', '^node_modules/onnxruntime-(node|common)/', 'detect|train'),
    door('typeorm', '^node_modules/typeorm/', 'store'),
    door('nats', '^node_modules/@nats-io/', 'fleet|forward'),
    door('koa', '^node_modules/(koa|@koa/router)/', 'api'),
    door(
      'child-process',
      '^(execa|node:child_process|child_process)$|^node_modules/execa/',
      'enforce|inline|capture|daemons|cli|train',
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
