import type { Scenario } from '../scenario.js';
import { browsing, nat } from './browsing.js';
import { bruteForces } from './brute-force.js';
import { commandAndControl } from './command-and-control.js';
import { everyday } from './everyday.js';
import { floods } from './flood.js';
import { inside } from './inside.js';
import { layerTwo } from './layer-two.js';
import { patient } from './patient.js';
import { portScans } from './port-scan.js';
import { slowHttps } from './slow-http.js';
import { sweeps } from './sweep.js';
import { tunnels } from './tunnels.js';
import { unanswered } from './unanswered.js';
import { webAttacks } from './web-attack.js';

/** Every scenario; adding one is its file and its line here. */
export const SCENARIOS: readonly Scenario[] = [
  ...portScans,
  ...sweeps,
  ...bruteForces,
  ...patient,
  ...floods,
  ...slowHttps,
  ...webAttacks,
  ...commandAndControl,
  ...tunnels,
  ...layerTwo,
  ...inside,
  browsing,
  nat,
  ...everyday,
  ...unanswered,
];
