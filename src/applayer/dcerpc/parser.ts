import type { AppParser } from '../../domain/app-layer.js';
import { createMessageParser } from '../messages.js';
import type { AppLayerOptions } from '../options.js';
import { DcerpcCalls, dcerpcLength } from './calls.js';

/** Connection-oriented DCE/RPC over TCP (C706 12.6). */
export function createDcerpcParser(options: AppLayerOptions): AppParser {
  return createMessageParser({
    proto: 'dcerpc',
    options,
    transport: 'tcp',
    reader: ({ open }) => {
      const calls = new DcerpcCalls(open);
      return {
        length: dcerpcLength,
        message(d, direction) {
          calls.packet(d, direction);
        },
      };
    },
  });
}
