import type { BusServer } from '../../bus/index.js';
import type { FleetLink } from '../../fleet/index.js';
import type { LiveChange, LiveEvent } from '../../contract/http.js';
import type { InlineCommand } from '../../contract/inline.js';
import type { ResponderCommand, SensorCommand } from '../../contract/ipc.js';
import type { Alert } from '../../domain/alert.js';
import type { Decision } from '../../domain/decision.js';
import type { Severity } from '../../domain/severity.js';
import type { SiemEvent, SiemHealthEvent } from '../../domain/siem-event.js';
import type { AlertResponse } from '../../store/index.js';
import { healthEvent } from './audit-events.js';
import type { Http } from './http.js';

/** Where the parts of the server send things: sensors and responders, the console's live feed, the SIEM. */
export interface Outlets {
  /** @returns how many sensors were told. */
  toSensors(command: SensorCommand): number;
  /** @returns false when it is not connected. */
  toSensor(name: string, command: SensorCommand): boolean;
  toResponders(command: ResponderCommand): number;
  toResponder(name: string, command: ResponderCommand): boolean;
  /** @returns how many inline daemons were told. */
  toInline(command: InlineCommand): number;
  publish(event: LiveEvent, type: LiveChange): void;
  publishAlert(alert: Alert, response: AlertResponse, isNew: boolean): void;
  publishStatus(): void;
  toSiem(event: SiemEvent): void;
  /** Health of a part of the product, for the SIEM. */
  health(component: string, status: SiemHealthEvent['status'], message: string, severity?: Severity): void;
  /** A decision changed here; the fleet hears of it when it concerns the fleet. */
  decided(decision: Decision): void;
  released(decision: Decision, actor: string, reason: string, forgive: boolean): void;
  /** True when this server stores and forwards what becomes of the decision; in a fleet one of the servers does. */
  records(decision: Decision): boolean;
  /** Bus and console open after the parts that use them; until then nobody listens. */
  attach(what: { bus: BusServer } | { http: Http } | { fleet: FleetLink }): void;
}

export function createOutlets(name: string, toSiem: (event: SiemEvent) => void): Outlets {
  let bus: BusServer | undefined;
  let http: Http | undefined;
  let fleet: FleetLink | undefined;

  /** In a fleet a responder takes only what is signed. */
  function seal(command: ResponderCommand): void {
    if (!fleet) return;
    if (command.type === 'decide') fleet.seal(command.decision as Decision);
    else if (command.type === 'sync') for (const decision of command.decisions) fleet.seal(decision as Decision);
  }

  return {
    toSensors(command) {
      if (command.type === 'reload' && command.what === 'rules') bus?.toInline({ type: 'reload' });
      return bus?.toSensors(command) ?? 0;
    },
    toSensor: (sensor, command) => bus?.toSensor(sensor, command) ?? false,
    toInline: (command) => bus?.toInline(command) ?? 0,
    toResponders(command) {
      if (command.type === 'decide' && isBlock(command.decision))
        bus?.toInline({ type: 'block', value: command.decision.value });
      seal(command);
      return bus?.toResponders(command) ?? 0;
    },
    toResponder(responder, command) {
      seal(command);
      return bus?.toResponder(responder, command) ?? false;
    },
    publish(event, type) {
      http?.publish(event, type);
    },
    publishAlert(alert, response, isNew) {
      http?.publishAlert(alert, response, isNew);
    },
    publishStatus() {
      http?.publishStatus();
    },
    toSiem,
    health(component, status, message, severity) {
      toSiem(healthEvent(name, component, status, message, severity));
    },
    decided(decision) {
      fleet?.decided(decision);
    },
    released(decision, actor, reason, forgive) {
      fleet?.released(decision, actor, reason, forgive);
    },
    records: (decision) => fleet?.records(decision) ?? true,
    attach(what) {
      if ('bus' in what) bus = what.bus;
      else if ('fleet' in what) fleet = what.fleet;
      else http = what.http;
    },
  };
}

/** Also packets that are queued already must not pass. */
function isBlock({ action, scope, simulated }: Pick<Decision, 'action' | 'scope' | 'simulated'>): boolean {
  return action === 'block' && !simulated && (scope === 'ip' || scope === 'cidr');
}
