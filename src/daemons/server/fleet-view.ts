import type { Fleet, FleetMemberView } from '../../contract/http.js';
import type { FleetLink, RegistryMember } from '../../fleet/index.js';

function toMember({ beat, heardMs, alive }: RegistryMember): FleetMemberView {
  const { name, role, site, version, mode, startedMs, sensor, responder, decisions, spool } = beat;
  const policies = beat.policies ?? null;
  return { name, role, site, version, mode, alive, heardMs, startedMs, sensor, responder, decisions, spool, policies };
}

/** What the console shows of the fleet. */
export function toFleetView(link: FleetLink | undefined): Fleet {
  if (!link) return { self: null, scheduler: null, members: [] };
  const { connected, server, lastError } = link.status();
  return {
    self: { name: link.name, site: link.site, connected, server, lastError },
    scheduler: link.serverSide?.scheduler() ?? null,
    members: (link.serverSide?.members() ?? []).map(toMember),
  };
}
