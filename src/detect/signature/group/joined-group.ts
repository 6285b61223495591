import { makePrefilter, type Prefilter } from '../match/prefilter.js';
import type { Scanner } from '../match/wasm/scanner.js';
import { finish, type Steps } from '../steps.js';
import type { PatternGroup } from './pattern-group.js';
import type { SharedBuffers } from './transaction-group.js';

/** Where a pattern of a joined search is looked for; in the lower bits of its id. */
export const JOINED = { PACKET: 0, STREAM: 1, BODY: 2, BITS: 2, MASK: 3 } as const;

/**
 * One search of bytes that are a packet, the newest of a stream and perhaps of a body, instead of three. The rules it finds
 * for packets may have their pattern where the packet begins or before: their bytes are compared anyway. Patterns of bodies
 * share one id: when one is found, the body is searched by itself.
 */
export interface JoinedGroup {
  prefilter: Prefilter;
  /** Whose patterns are among them. */
  bodies: SharedBuffers | undefined;
}

/** Packets that ask for a combination before it is worth its tables. */
const ASKED_FIRST = 64;

interface Asked {
  times: number;
  group: JoinedGroup | undefined;
}

/** Joined searches of the combinations that occur, made when one has occurred often enough. */
export class JoinedGroups {
  readonly #scanner: Scanner;
  readonly #hasRoom: () => boolean;
  readonly #known = new Map<PatternGroup, Map<PatternGroup, Map<SharedBuffers | undefined, Asked>>>();

  constructor(scanner: Scanner, hasRoom: () => boolean) {
    this.#scanner = scanner;
    this.#hasRoom = hasRoom;
  }

  /** The search, once it was asked for often enough. */
  of(packet: PatternGroup, stream: PatternGroup, bodies: SharedBuffers | undefined): JoinedGroup | undefined {
    const asked = this.#entry(packet, stream, bodies);
    if (asked.group !== undefined) return asked.group;
    return ++asked.times < ASKED_FIRST ? undefined : finish(this.make(packet, stream, bodies));
  }

  /** Makes it now, step by step; undefined when there is no room for it. */
  *make(packet: PatternGroup, stream: PatternGroup, bodies: SharedBuffers | undefined): Steps<JoinedGroup | undefined> {
    if (!this.#hasRoom()) return undefined;
    const tagged = (patterns: PatternGroup['patterns'], kind: number) =>
      patterns.map((p) => ({ ...p, id: (p.id << JOINED.BITS) | kind }));
    const patterns = [
      ...tagged(packet.patterns, JOINED.PACKET),
      ...tagged(stream.patterns, JOINED.STREAM),
      ...(bodies?.patterns ?? []).map((p) => ({ ...p, id: JOINED.BODY })),
    ];
    yield;
    const group = { prefilter: yield* makePrefilter(patterns, this.#scanner), bodies };
    this.#entry(packet, stream, bodies).group = group;
    return group;
  }

  #entry(packet: PatternGroup, stream: PatternGroup, bodies: SharedBuffers | undefined): Asked {
    const ofPacket = getOrMake(
      this.#known,
      packet,
      () => new Map<PatternGroup, Map<SharedBuffers | undefined, Asked>>(),
    );
    const ofStream = getOrMake(ofPacket, stream, () => new Map<SharedBuffers | undefined, Asked>());
    return getOrMake(ofStream, bodies, () => ({ times: 0, group: undefined }));
  }
}

function getOrMake<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}
