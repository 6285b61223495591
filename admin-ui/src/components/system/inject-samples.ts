import type { injectRequestSchema } from '@contract/http';
import type { z } from 'zod';

type Sample = NonNullable<z.input<typeof injectRequestSchema>['sample']>;

/** The made-up conversations of the contract; types keep the two lists alike. */
export const INJECT_SAMPLES = [
  'port_scan',
  'sql_injection',
  'xss',
  'path_traversal',
] as const satisfies readonly Sample[];
