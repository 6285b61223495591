import { createRequire } from 'node:module';

/** What npm `cap` offers; it has no types of its own. */
export interface CapHandle {
  /** @returns the link type in words; throws an Error with libpcap's message. */
  open(device: string, filter: string, bufferBytes: number, into: Buffer): string;
  setMinBytes?(bytes: number): void;
  on(event: 'packet', listener: (bytes: number, truncated: boolean) => void): void;
}

export interface CapDevice {
  name: string;
  description?: string;
  addresses: { addr?: string }[];
}

interface CapModule {
  Cap: { new (): CapHandle; deviceList(): CapDevice[] };
}

/** Loaded on first use: it needs libpcap's shared library, and only those who choose `cap` should need that. */
export function loadCap(): CapModule {
  return createRequire(import.meta.url)('cap') as CapModule;
}

/** libpcap's device list, or nothing where libpcap is not installed. */
export function capDevices(): { name: string; description?: string; addresses: { addr: string }[] }[] {
  try {
    return loadCap()
      .Cap.deviceList()
      .map((device) => ({
        ...device,
        addresses: device.addresses.flatMap(({ addr }) => (addr === undefined ? [] : [{ addr }])),
      }));
  } catch {
    return [];
  }
}
