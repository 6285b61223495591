import type { AppFlow } from '../applayer/index.js';
import type { InlineOptions } from '../inline/index.js';

/** When the rest of one direction of a connection needs no look; see `inline.bypass`. */
export type BypassRule = InlineOptions['bypass'];

/**
 * One rule for the inline daemon and the sensor, so that both skip the same.
 * @param judgedBytes payload of this direction that was looked at from its beginning and found harmless.
 */
export function mayBypass(rule: BypassRule, judgedBytes: number, app: AppFlow | undefined): boolean {
  const { after_kib: afterKib, encrypted, apps } = rule;
  if (afterKib > 0 && judgedBytes >= afterKib * 1024) return true;
  if (app === undefined) return false;
  return (encrypted && app.isEncrypted) || (apps.length > 0 && app.proto !== undefined && apps.includes(app.proto));
}
