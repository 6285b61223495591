import type { DropReason } from './drop-book.js';

/** What was ruled about a connection. */
export class FlowRuling {
  cut: DropReason | undefined;
  mark = -1;
  readonly judged = [0, 0];
  readonly passed = [false, false];
}

/** A drop that no rule asked for. */
export const EXCEPTION: Omit<DropReason, 'title'> = {
  verdict: 'drop',
  simulated: false,
  gid: 0,
  signatureId: 0,
  severity: 'low',
  policy: '',
};
