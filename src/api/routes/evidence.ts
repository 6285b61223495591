import type { evidenceOperations } from '../../contract/http.js';
import type { Store, StoredAlert } from '../../store/index.js';
import type { Control } from '../deps.js';
import { notFound } from '../errors.js';
import { bundleEntry, evidenceBundle } from '../evidence-bundle.js';
import type { Handlers } from '../request.js';

const MAX_ALERTS = 200;

interface Parts {
  store: Store;
  control: Control;
  version: string;
  now(): number;
}

export function evidenceHandlers(parts: Parts): Pick<Handlers, keyof typeof evidenceOperations> {
  const { store, control } = parts;
  const bundleParts = { ...parts, evidence: control.evidence };

  async function find(id: string): Promise<StoredAlert> {
    const alert = await store.alerts.get(id);
    if (!alert) throw notFound('alert');
    return alert;
  }

  return {
    async listAlertPackets({ params, query }) {
      const { id } = await find(params.id);
      return control.evidence.packets(id, query);
    },
    async getAlertPacket({ params }) {
      const { id } = await find(params.id);
      return control.evidence.packet(id, params.number);
    },
    async downloadAlertPcap(request) {
      const { id } = await find(request.params.id);
      const body = await control.evidence.pcap(id);
      if (!body) throw notFound('capture of this alert');
      await request.audit({ action: 'evidence.download', object: id, after: { what: 'pcap' } });
      return { name: `alert-${id}.pcap`, type: 'application/vnd.tcpdump.pcap', body };
    },
    async downloadAlertBundle(request) {
      const alert = await find(request.params.id);
      await request.audit({ action: 'evidence.download', object: alert.id, after: { what: 'bundle' } });
      return { name: `alert-${alert.id}.zip`, type: 'application/zip', body: evidenceBundle([alert], [], bundleParts) };
    },
    async downloadIncidentBundle(request) {
      const incident = await store.incidents.get(request.params.id);
      if (!incident) throw notFound('incident');
      const { id } = incident;
      await request.audit({ action: 'evidence.download', object: id, after: { what: 'bundle' } });
      const alerts = await store.alerts.ofIncident(id, MAX_ALERTS);
      const first = [bundleEntry('incident.json', { incident, comments: await store.incidents.comments(id) })];
      return { name: `incident-${id}.zip`, type: 'application/zip', body: evidenceBundle(alerts, first, bundleParts) };
    },
  };
}
