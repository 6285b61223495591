import { readdirSync, readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { LINK } from '../domain/packet.js';
import { capDevices } from './cap/binding.js';

/** A network interface as the operator may choose it. */
export interface InterfaceInfo {
  name: string;
  index: number;
  /** Administratively up: packets can be captured. */
  isUp: boolean;
  /** Carrier as the driver reports it (RFC 2863 operational state): `up`, `down`, `unknown`, ... */
  state: string;
  addresses: string[];
  mac: string;
  mtu: number;
  /** One of LINK, or -1 when Portcullis cannot decode what is captured there. */
  linkType: number;
  description: string;
}

const ROOT = '/sys/class/net';
const IFF_UP = 1;

/** ARP hardware types (linux/if_arp.h) whose frames begin with an Ethernet header; loopback pretends to. */
const ETHERNET_TYPES: readonly number[] = [1, 772];
/** Types without a link header that matters: PPP, raw IP, none (tun), tunnels, 6in4, GRE over IPv4 and IPv6. */
const RAW_IP_TYPES: readonly number[] = [512, 519, 65534, 768, 769, 776, 778, 823];

/** @returns one of LINK, or -1 when the hardware type is not supported. */
export function linkTypeOfHardware(type: number): number {
  if (ETHERNET_TYPES.includes(type)) return LINK.ETHERNET;
  return RAW_IP_TYPES.includes(type) ? LINK.RAW : -1;
}

/** Reads one attribute of an interface from sysfs; the empty string when there is none. */
function attribute(name: string, key: string): string {
  try {
    return readFileSync(`${ROOT}/${name}/${key}`, 'utf8').trim();
  } catch {
    return '';
  }
}

export function interfaceNames(): string[] {
  try {
    return readdirSync(ROOT).filter((name) => attribute(name, 'ifindex') !== '');
  } catch {
    return Object.keys(networkInterfaces());
  }
}

/** @returns undefined when the interface does not exist. */
export function interfaceIndex(name: string): number | undefined {
  const index = name.includes('/') || name.startsWith('.') ? '' : attribute(name, 'ifindex');
  return index === '' ? undefined : Number(index);
}

export function interfaceIsUp(name: string): boolean {
  return (Number(attribute(name, 'flags')) & IFF_UP) !== 0;
}

export function hardwareType(name: string): number {
  return Number(attribute(name, 'type'));
}

/** Every interface of this machine, by index; addresses and descriptions from libpcap where it is installed. */
export function listInterfaces(): InterfaceInfo[] {
  const devices = new Map(capDevices().map((device) => [device.name, device]));
  const own = networkInterfaces();
  const list = interfaceNames().map((name): InterfaceInfo => {
    const found = [
      ...(devices.get(name)?.addresses.map((a) => a.addr) ?? []),
      ...(own[name]?.map((a) => a.address) ?? []),
    ];
    return {
      name,
      index: interfaceIndex(name) ?? 0,
      isUp: interfaceIsUp(name),
      state: attribute(name, 'operstate') || 'unknown',
      addresses: [...new Set(found.filter((a) => a !== undefined).map((a) => a.replace(/%.*$/, '')))],
      mac: attribute(name, 'address'),
      mtu: Number(attribute(name, 'mtu')),
      linkType: linkTypeOfHardware(hardwareType(name)),
      description: devices.get(name)?.description ?? '',
    };
  });
  return list.sort((a, b) => a.index - b.index);
}
