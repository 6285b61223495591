import { Initial1763733600000 } from './1763733600000-initial.js';
import { AlertOverviewIndex1763737200000 } from './1763737200000-alert-overview-index.js';

/** Every migration, oldest first. */
export const migrations = [Initial1763733600000, AlertOverviewIndex1763737200000];
