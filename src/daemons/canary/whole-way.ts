import type { LoadedConfig } from '../../config/index.js';
import { runNamespaceCanary, type CanaryResult } from '../../enforce/index.js';
import { createCanaryDetection } from './detection.js';

/** The responder's own proof from packets to the release, with the detectors as this box has them. */
export async function runWholeWayCanary(config: Pick<LoadedConfig, 'enforce' | 'detect'>): Promise<CanaryResult> {
  const { enabled, ...behaviour } = config.detect.behaviour;
  if (!enabled || !behaviour.portScan.enabled) {
    return { ok: false, place: 'namespace', steps: [], unprovable: 'port scans are not detected on this box' };
  }
  return runNamespaceCanary(config.enforce, createCanaryDetection(behaviour));
}
