import type { BusServer } from '../../bus/index.js';
import type { LiveChange, LiveEvent } from '../../contract/http.js';
import type { ResponderCommand, SensorCommand } from '../../contract/ipc.js';
import type { Alert } from '../../domain/alert.js';
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
  publish(event: LiveEvent, type: LiveChange): void;
  publishAlert(alert: Alert, response: AlertResponse, isNew: boolean): void;
  publishStatus(): void;
  toSiem(event: SiemEvent): void;
  /** Health of a part of the product, for the SIEM. */
  health(component: string, status: SiemHealthEvent['status'], message: string, severity?: Severity): void;
  /** Bus and console open after the parts that use them; until then nobody listens. */
  attach(what: { bus: BusServer } | { http: Http }): void;
}

export function createOutlets(name: string, toSiem: (event: SiemEvent) => void): Outlets {
  let bus: BusServer | undefined;
  let http: Http | undefined;
  return {
    toSensors: (command) => bus?.toSensors(command) ?? 0,
    toSensor: (sensor, command) => bus?.toSensor(sensor, command) ?? false,
    toResponders: (command) => bus?.toResponders(command) ?? 0,
    toResponder: (responder, command) => bus?.toResponder(responder, command) ?? false,
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
    attach(what) {
      if ('bus' in what) bus = what.bus;
      else http = what.http;
    },
  };
}
