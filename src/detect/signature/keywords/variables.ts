import { parsePattern } from '../parse/content.js';
import type { Capture } from '../rule.js';
import type { Keyword } from './payload.js';

/** `NAME,"CONTENT"`: what a pattern remembered under the name contains it. */
function captured(scope: Capture['scope']): Keyword {
  return (b, value) => {
    const m = /^([^,\s]+)\s*,\s*("?)([\s\S]+?)\2$/.exec(value);
    if (!m || m[3]!.startsWith('!')) throw new Error('needs a name and a content, such as name,"text"');
    b.rule.captureTests.push({ scope, name: m[1]!, bytes: parsePattern(m[3]!) });
  };
}

/** Keywords about what the groups of patterns have captured. */
export const VARIABLE_KEYWORDS: Readonly<Record<string, Keyword>> = {
  flowvar: captured('flow'),
  pktvar: captured('packet'),
};
