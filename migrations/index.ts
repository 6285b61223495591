import { Initial1763733600000 } from './1763733600000-initial.js';

/** Every migration, oldest first. */
export const migrations = [Initial1763733600000];
