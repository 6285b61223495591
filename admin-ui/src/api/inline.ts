import { client, list } from './index';
import type { InlineDrop, InlineMode, InlineStatus } from './types';

export const inlineApi = {
  get: () => client.get<InlineStatus>('/inline'),
  setMode: (mode: InlineMode, confirmSecs?: number) => client.put<InlineStatus>('/inline/mode', { mode, confirmSecs }),
  drops: list<InlineDrop>('/inline/drops'),
};
