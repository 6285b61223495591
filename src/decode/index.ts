export { createDecoder, type Decoder } from './decoder.js';
export { decodeOptions, type DecodeInput, type DecodeOptions } from './options.js';
