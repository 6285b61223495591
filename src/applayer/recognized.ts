import type { AppParser, AppProto } from '../domain/app-layer.js';

/** A protocol that is known by its first bytes and not taken apart: rules about its bytes apply to it. */
export function createRecognized(proto: AppProto): AppParser {
  return {
    proto,
    transactions: [],
    release: () => undefined,
    onData: () => undefined,
    onGap: () => undefined,
    onEnd: () => undefined,
  };
}
