export { createReassembler, type Reassembler, type ReassemblerDeps } from './reassembler.js';
export { STREAM_POLICIES, reassemblyOptions, type ReassemblyInput, type ReassemblyOptions } from './options.js';
