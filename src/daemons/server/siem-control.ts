import type { SiemControl } from '../../api/index.js';
import { loadConfig, type LoadedConfig } from '../../config/index.js';
import type { SiemDetail, SiemGap, SiemReplay, SiemStatus } from '../../contract/http.js';
import type { DestinationStatus, Forwarder, ReplayableGap, ReplayStatus } from '../../forward/index.js';
import { AppError } from '../../util/errors.js';

/**
 * The ways to the SIEM as the API sees them.
 * @param file the configuration that a reload reads; undefined: defaults.
 * @param reloaded gets the configuration that the destinations now follow.
 */
export function createSiemControl(
  forwarder: Forwarder,
  file: string | undefined,
  reloaded: (config: LoadedConfig) => Promise<void>,
): SiemControl {
  function need(name: string): DestinationStatus {
    const found = forwarder.status().find((d) => d.name === name);
    if (found) return found;
    throw new AppError({ kind: 'user', code: 'siem.not_found', message: `There is no SIEM destination "${name}".` });
  }

  return {
    list: () => forwarder.status().map(toSiemStatus),
    async test(name) {
      const result = await forwarder.test(name);
      return { ok: result.ok, sent: result.bytes, answer: result.error ?? result.answer };
    },
    detail: (name) => toDetail(need(name)),
    receipts: (name, limit) => forwarder.receipts(name, limit),
    gaps: async (name, limit) => (await forwarder.gaps(name, limit)).map(toGap),
    async deadLetters(name, limit) {
      const letters = await forwarder.deadLetters(name, limit);
      return letters.map(({ atMs, reason, event }) => {
        const { id, kind, message } = event;
        return { atMs, reason, eventId: id, kind, message };
      });
    },
    replay: async (name, fromMs, toMs) => toReplay(await forwarder.replay(name, fromMs, toMs)),
    lastReplay(name) {
      need(name);
      const last = forwarder.lastReplay(name);
      return last ? toReplay(last) : { ...NO_REPLAY };
    },
    async deliveries(id) {
      const found = await forwarder.deliveries(id);
      const events = found.map(({ event, deliveries }) => ({
        ...{ eventId: event.id, atMs: event.tsMs, kind: event.kind, message: event.message },
        deliveries: deliveries.map((d) => ({ ...d, confirmedMs: d.confirmedMs ?? null })),
      }));
      return { id, events };
    },
    async reload() {
      const config = await loadConfig(file);
      const result = await forwarder.reconfigure(config.siem);
      await reloaded(config);
      return result;
    },
  };
}

const NO_REPLAY: SiemReplay = {
  ...{ fromMs: 0, toMs: 0, startedMs: 0, state: 'none', events: 0, confirmed: 0, error: '' },
};

/** The short form for lists and the status. */
export function toSiemStatus(d: DestinationStatus): SiemStatus {
  // Nothing was to be sent yet: nothing is wrong.
  const atStart = d.backlogEvents === 0 ? 'ok' : 'retrying';
  const state = d.state === 'starting' ? atStart : d.state;
  return {
    name: d.name,
    state,
    format: d.format,
    transport: d.protocol,
    target: d.target,
    backlog: d.backlogEvents,
    confirmed: d.confirmed,
    dropped: d.dropped,
    lastError: d.lastError === '' ? null : d.lastError,
  };
}

function toDetail(d: DestinationStatus): SiemDetail {
  return {
    ...d,
    transport: d.protocol,
    lastError: d.lastError === '' ? null : d.lastError,
    lastErrorMs: d.lastErrorMs || null,
    lastConfirmedMs: d.lastConfirmedMs || null,
  };
}

function toGap({ id, atMs, fromMs, toMs, dropped, cause, replayable }: ReplayableGap): SiemGap {
  return { id, atMs, fromMs, toMs, dropped, cause, replayable };
}

function toReplay(status: ReplayStatus): SiemReplay {
  return { ...status };
}
