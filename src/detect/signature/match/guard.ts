import { createContext, Script, type Context } from 'node:vm';

const LIMIT_MS = 20;
const script = new Script('regex.lastIndex = from, regex.exec(text)');
let context: Context | undefined;
let timeouts = 0;

/**
 * Runs a pattern that may backtrack without end for at most 20 ms; beyond it counts as no match, as PCRE's match limit
 * does. Costs about 0.1 ms a call: for the few patterns only that V8's linear-time engine cannot take over.
 */
export function execGuarded(regex: RegExp, text: string, from: number): RegExpExecArray | null {
  context ??= createContext({});
  Object.assign(context, { regex, text, from });
  try {
    return script.runInContext(context, { timeout: LIMIT_MS }) as RegExpExecArray | null;
  } catch {
    timeouts++;
    return null;
  }
}

/** Patterns given up so far. */
export function guardTimeouts(): number {
  return timeouts;
}
