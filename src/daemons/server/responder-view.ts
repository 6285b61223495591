import type { Status } from '../../contract/http.js';
import type { ResponderReport } from '../../bus/index.js';

type State = Extract<ResponderReport, { type: 'state' }>;
type Canary = NonNullable<Status['canary']>;

/** What the console shows of the responder: the last state it reported, or that it is away. */
export interface ResponderView {
  connected(backend: string): void;
  disconnected(): void;
  state(state: State): void;
  view(): Status['responder'];
  /** The last proof that a block blocks. */
  canary(): Canary;
}

export function createResponderView(): ResponderView {
  let view: Status['responder'] = { connected: false, backend: '', desired: 0, enforced: 0, healed: 0 };
  let canary: Canary = { lastMs: null, ok: null, detail: '', nextMs: null };
  return {
    connected(backend) {
      view = { ...view, connected: true, backend };
    },
    disconnected() {
      view = { ...view, connected: false };
    },
    state(state) {
      view = {
        connected: true,
        backend: state.backend,
        desired: state.desired,
        enforced: state.enforced,
        healed: numberOf(state.stats['decisions_healed']) ?? 0,
      };
      const { canary_ok: ok, canary_detail: detail } = state.stats;
      canary = {
        lastMs: numberOf(state.stats['canary_last_ms']),
        ok: typeof ok === 'boolean' ? ok : null,
        detail: typeof detail === 'string' ? detail : '',
        nextMs: numberOf(state.stats['canary_next_ms']),
      };
    },
    view: () => view,
    canary: () => canary,
  };
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}
