import { Initial1763733600000 } from './1763733600000-initial.js';
import { AlertOverviewIndex1763737200000 } from './1763737200000-alert-overview-index.js';
import { ResponseRequests1763740800000 } from './1763740800000-response-requests.js';
import { Training1763748000000 } from './1763748000000-training.js';
import { Console1763751600000 } from './1763751600000-console.js';
import { Speed1763755200000 } from './1763755200000-speed.js';
import { Suppressions1763758800000 } from './1763758800000-suppressions.js';
import { PortAndWordIndices1763762400000 } from './1763762400000-port-and-word-indices.js';
import { LabelTiers1763766000000 } from './1763766000000-label-tiers.js';

/** Every migration, oldest first. */
export const migrations = [
  Initial1763733600000,
  AlertOverviewIndex1763737200000,
  ResponseRequests1763740800000,
  Training1763748000000,
  Console1763751600000,
  Speed1763755200000,
  Suppressions1763758800000,
  PortAndWordIndices1763762400000,
  LabelTiers1763766000000,
];
