export { createReassembler, type Reassembler, type ReassemblerDeps } from './reassembler.js';
export {
  MIDSTREAM_POLICIES,
  STREAM_POLICIES,
  reassemblyOptions,
  type ReassemblyInput,
  type ReassemblyOptions,
} from './options.js';
