import type { Status } from '../../contract/http.js';
import type { ResponderReport } from '../../bus/index.js';

type State = Extract<ResponderReport, { type: 'state' }>;

/** What the console shows of the responder: the last state it reported, or that it is away. */
export interface ResponderView {
  connected(backend: string): void;
  disconnected(): void;
  state(state: State): void;
  view(): Status['responder'];
}

export function createResponderView(): ResponderView {
  let view: Status['responder'] = { connected: false, backend: '', desired: 0, enforced: 0, healed: 0 };
  return {
    connected(backend) {
      view = { ...view, connected: true, backend };
    },
    disconnected() {
      view = { ...view, connected: false };
    },
    state(state) {
      const healed = state.stats['healed'];
      view = {
        connected: true,
        backend: state.backend,
        desired: state.desired,
        enforced: state.enforced,
        healed: typeof healed === 'number' ? healed : 0,
      };
    },
    view: () => view,
  };
}
