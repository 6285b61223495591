import { behaviourSection } from './behaviour.js';
import { enforceSection } from './enforce.js';
import { fileSection } from './file.js';
import { fleetSection } from './fleet.js';
import { inlineSection } from './inline.js';
import { intelSection } from './intel.js';
import { liveSection } from './live.js';
import { floodSection, memorySection } from './memory.js';
import type { BenchSection } from './section.js';
import { scoringSection } from './scoring.js';
import { signatureSection } from './signatures.js';
import { siemSection } from './siem.js';
import { storeSection } from './store.js';

/** Every section of `portcullis bench`, in the order they run. */
export const SECTIONS: readonly BenchSection[] = [
  fileSection,
  liveSection,
  behaviourSection,
  intelSection,
  scoringSection,
  signatureSection,
  memorySection,
  floodSection,
  enforceSection,
  inlineSection,
  siemSection,
  storeSection,
  fleetSection,
];
