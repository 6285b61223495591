import type { InlineMode } from '@/api/types';

/** In the order of effect; here because the contract's own list would bring its schemas into the bundle. */
export const INLINE_MODES = ['off', 'observe', 'enforce'] as const satisfies readonly InlineMode[];
