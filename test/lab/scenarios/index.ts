import type { Scenario } from '../scenario.js';
import { browsing, nat } from './browsing.js';
import { portScans } from './port-scan.js';

/** Every scenario; adding one is its file and its line here. */
export const SCENARIOS: readonly Scenario[] = [...portScans, browsing, nat];
