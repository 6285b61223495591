import { toDisplayString } from 'vue';
import { showHidden } from '@domain/visible-text';

/** What `{{ }}` writes in every component (see vite.config.ts). */
export const toVisibleText = (value: unknown): string => showHidden(toDisplayString(value));
