import { setFlagsFromString } from 'node:v8';

/** V8's option for the bytes of bytecode that a function runs before it may be compiled with optimisation; its own choice is 66 KiB. */
const BUDGET = '--interrupt-budget';
/** V8's option for the bytes of bytecode that calls in one function may be replaced by; its own choice is 920. */
const INLINING = '--max-inlined-bytecode-size-cumulative';

/** What is set here, for the test that this Node knows it. */
export const COMPILER_OPTIONS = [BUDGET, INLINING] as const;

/**
 * For a process that reads captures and ends (docs/signatures.md, Speed): what reads rules and models runs once, and compiling it
 * costs more than it saves. Of effect for code that runs for the first time after the call; `compileSooner` ends it.
 */
export function compileLater(): void {
  setFlagsFromString(`${BUDGET}=500000`);
}

/** Before the packets: what all of them go through is compiled soon, in smaller functions, which costs the compiler less. */
export function compileSooner(): void {
  setFlagsFromString(`${BUDGET}=33000`);
  setFlagsFromString(`${INLINING}=300`);
}
