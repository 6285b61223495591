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

const finished = new Map<string, AppParser>();

/** Stands for a parser that has nothing left to do; one for all of the same protocol. */
export function finishedParser({ proto, isEncrypted = false }: AppParser): AppParser {
  const key = `${proto} ${isEncrypted}`;
  let parser = finished.get(key);
  if (parser === undefined) finished.set(key, (parser = { ...createRecognized(proto), isEncrypted }));
  return parser;
}
