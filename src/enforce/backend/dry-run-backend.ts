import { nowUs } from '../../util/clock.js';
import { elementId } from '../element.js';
import type { EnforceBackend, KernelElement } from './backend.js';

/** Counts in memory what the kernel would hold: same accounting, no rights needed, nothing blocked. */
export function createDryRunBackend(nowMs: () => number = () => performance.now()): EnforceBackend {
  const held = new Map<string, { setMs: number; timeoutMs: number }>();
  let present = false;
  return {
    name: 'dry-run',
    open: () => Promise.resolve(),
    replace: (_layout, elements) => {
      held.clear();
      present = true;
      for (const { element, timeoutMs } of elements) held.set(elementId(element), { setMs: nowMs(), timeoutMs });
      return Promise.resolve();
    },
    extend: () => Promise.resolve(),
    apply: (_layout, ops) => {
      for (const { kind, element, timeoutMs } of ops) {
        if (kind === 'delete') held.delete(elementId(element));
        else held.set(elementId(element), { setMs: nowMs(), timeoutMs });
      }
      return Promise.resolve({ failed: new Map(), kernelUs: nowUs(), tableGone: !present });
    },
    lookup: (_layout, elements) =>
      Promise.resolve(
        elements.map((element): KernelElement | undefined => {
          const id = elementId(element);
          const entry = held.get(id);
          if (!entry) return undefined;
          const expiresMs = entry.timeoutMs === 0 ? 0 : entry.setMs + entry.timeoutMs - nowMs();
          if (entry.timeoutMs > 0 && expiresMs <= 0) {
            held.delete(id);
            return undefined;
          }
          return { timeoutMs: entry.timeoutMs, expiresMs, packets: 0, bytes: 0 };
        }),
      ),
    counters: () => Promise.resolve({}),
    isPresent: () => Promise.resolve(present),
    remove: () => {
      held.clear();
      present = false;
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  };
}
