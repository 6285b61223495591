import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { LINK } from '../domain/packet.js';
import { indexOf, interfaceFacts, type InterfaceFacts } from './afpacket/interface-request.js';
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

/** Of this process, also where only processes are visible in proc. */
const PROC_DEV = '/proc/self/net/dev';
const SYSFS = '/sys/class/net';
const IFF_UP = 1;
const IFF_RUNNING = 0x40;

/** ARP hardware types (linux/if_arp.h) whose frames begin with an Ethernet header; loopback pretends to. */
const ETHERNET_TYPES: readonly number[] = [1, 772];
/** Types without a link header that matters: PPP, raw IP, none (tun), tunnels, 6in4, GRE over IPv4 and IPv6. */
const RAW_IP_TYPES: readonly number[] = [512, 519, 65534, 768, 769, 776, 778, 823];

/** @returns one of LINK, or -1 when the hardware type is not supported. */
export function linkTypeOfHardware(type: number): number {
  if (ETHERNET_TYPES.includes(type)) return LINK.ETHERNET;
  return RAW_IP_TYPES.includes(type) ? LINK.RAW : -1;
}

/** Names of the interfaces of this process's network namespace (proc_net(5)). */
export function interfaceNames(): string[] {
  try {
    const lines = readFileSync(PROC_DEV, 'utf8').split('\n').slice(2);
    return lines.flatMap((line) => (line.includes(':') ? [line.slice(0, line.lastIndexOf(':')).trim()] : []));
  } catch {
    return Object.keys(networkInterfaces());
  }
}

/** @returns undefined when the interface does not exist. */
export function interfaceIndex(name: string): number | undefined {
  return indexOf(name);
}

export function interfaceIsUp(name: string): boolean {
  return ((interfaceFacts(name)?.flags ?? 0) & IFF_UP) !== 0;
}

export function hardwareType(name: string): number {
  return interfaceFacts(name)?.hardwareType ?? -1;
}

/** Operational state; sysfs knows more words for it, where it shows the same interface. */
function stateOf(name: string, facts: InterfaceFacts): string {
  try {
    const read = (key: string): string => readFileSync(`${SYSFS}/${name}/${key}`, 'utf8').trim();
    if (Number(read('ifindex')) === facts.index) return read('operstate');
  } catch {
    // No sysfs, or that of another network namespace.
  }
  return (facts.flags & IFF_RUNNING) === 0 ? 'down' : 'unknown';
}

/** Every interface of this machine, by index; addresses and descriptions from libpcap where it is installed. */
export function listInterfaces(): InterfaceInfo[] {
  const devices = new Map(capDevices().map((device) => [device.name, device]));
  const own = networkInterfaces();
  const list = interfaceNames().flatMap((name): InterfaceInfo[] => {
    const facts = interfaceFacts(name);
    if (!facts) return [];
    const found = [
      ...(devices.get(name)?.addresses.map((a) => a.addr) ?? []),
      ...(own[name]?.map((a) => a.address) ?? []),
    ];
    const info = {
      name,
      index: facts.index,
      isUp: (facts.flags & IFF_UP) !== 0,
      state: stateOf(name, facts),
      addresses: [...new Set(found.filter((a) => a !== undefined).map((a) => a.replace(/%.*$/, '')))],
      mac: facts.mac,
      mtu: facts.mtu,
      linkType: linkTypeOfHardware(facts.hardwareType),
      description: devices.get(name)?.description ?? '',
    };
    return [info];
  });
  return list.sort((a, b) => a.index - b.index);
}
