export { communityId, type CommunityIdInput } from './community-id.js';
export { createDefragmenter, type Defragmenter, type WholePacket } from './defrag.js';
export { communityIdOf, toFlowRecord } from './flow-record.js';
export { createFlowTable, REPEATED, type FlowTable, type FlowDeps } from './flow-table.js';
export { defragOptions, flowOptions, type DefragInput, type FlowInput, type FlowOptions } from './options.js';
