import { bufferReference, type BufferDefinition } from './buffers.js';
import { PROTOCOLS } from './compile.js';
import { frameReference } from './frames/index.js';
import { APP_KEYWORDS, REFUSED } from './keywords/app.js';
import { CHECKSUM_KEYWORDS } from './keywords/checksum.js';
import { HEADER_KEYWORDS } from './keywords/header.js';
import { HOST_KEYWORDS } from './keywords/host.js';
import { META_KEYWORDS } from './keywords/meta.js';
import { PAYLOAD_KEYWORDS } from './keywords/payload.js';
import { PROTOCOL_KEYWORDS } from './keywords/protocols.js';
import { STATE_KEYWORDS } from './keywords/state.js';
import { VARIABLE_KEYWORDS } from './keywords/variables.js';
import { TRANSACTION_KEYWORDS } from './keywords/transaction.js';
import { TRANSFORMS } from './match/transform.js';
import { RULE_ACTIONS } from './parse/rule.js';

/** What of the rule language is understood, from the tables that the compiler itself uses. */
export interface LanguageReference {
  actions: readonly string[];
  protocols: string[];
  groups: { title: string; keywords: string[] }[];
  buffers: (BufferDefinition & { aliases: string[] })[];
  transforms: readonly string[];
  frames: { proto: string; types: readonly string[] }[];
  /** Keyword and the reason that `rules check` gives. */
  refused: [string, string][];
}

export function languageReference(): LanguageReference {
  const buffers = bufferReference();
  const buffered = new Set(buffers.flatMap((b) => [b.name, ...b.aliases]));
  const names = (table: object): string[] =>
    Object.keys(table)
      .filter((name) => !(name in REFUSED) && !buffered.has(name))
      .sort();
  return {
    actions: RULE_ACTIONS,
    protocols: Object.keys(PROTOCOLS).sort(),
    groups: [
      { title: 'About the rule', keywords: names(META_KEYWORDS) },
      { title: 'Packet headers', keywords: [...names(HEADER_KEYWORDS), ...names(CHECKSUM_KEYWORDS)].sort() },
      { title: 'Bytes', keywords: names(PAYLOAD_KEYWORDS) },
      { title: 'Flow, state and thresholds', keywords: [...names(STATE_KEYWORDS), ...names(VARIABLE_KEYWORDS)].sort() },
      { title: 'Addresses', keywords: names(HOST_KEYWORDS) },
      {
        title: 'Protocols',
        keywords: [...names(TRANSACTION_KEYWORDS), ...names(APP_KEYWORDS), ...names(PROTOCOL_KEYWORDS)].sort(),
      },
    ],
    buffers,
    transforms: TRANSFORMS,
    frames: frameReference(),
    refused: Object.entries(REFUSED).sort(([a], [b]) => a.localeCompare(b)),
  };
}
