export { bufferNames } from './buffers.js';
export { SignatureEngine, type EngineDeps } from './engine.js';
export { loadRules, type FileProblem, type LoadedRules, type LoadOptions } from './load.js';
export { signatureOptionsSchema, type SignatureInput, type SignatureOptions } from './options.js';
export type { Rule } from './rule.js';
export type { AppView, PacketContent } from './scene.js';
