/** `PROTOCOL:HOOK` in a rule's header, as Suricata 8 writes when a rule is to be looked at. */
export interface HookedProtocol {
  proto: string;
  /** Bit 0: requests, bit 1: responses; 3 when the hook does not say. */
  towards: number;
  /** Only the packet that begins the flow. */
  isFlowStart: boolean;
}

/** Of packets, by protocols without transactions. */
const PACKET_HOOKS = new Set(['all', 'flow_start', 'pre_flow', 'pre_stream']);
const PACKET_PROTOCOLS = new Set(['ip', 'pkthdr', 'tcp', 'udp', 'icmp', 'ether', 'arp', 'ipv4', 'ipv6']);
const REQUEST_HOOK = /^(request|client)_[a-z_]+$/;
const RESPONSE_HOOK = /^(response|server)_[a-z_]+$/;

/**
 * Takes the hook of a rule's protocol. Rules are looked at when their fields are there, which is when the hook's state is reached;
 * of the hook its direction counts.
 * @throws {Error} when there is no such hook.
 */
export function parseHook(text: string): HookedProtocol {
  const [proto = '', hook] = text.split(':');
  if (hook === undefined) return { proto, towards: 3, isFlowStart: false };
  if (PACKET_HOOKS.has(hook) && PACKET_PROTOCOLS.has(proto))
    return { proto, towards: 3, isFlowStart: hook === 'flow_start' };
  const towards = REQUEST_HOOK.test(hook) ? 1 : RESPONSE_HOOK.test(hook) ? 2 : 0;
  if (towards === 0 || PACKET_PROTOCOLS.has(proto)) throw new Error(`"${hook}" is not a hook of ${proto}`);
  return { proto, towards, isFlowStart: false };
}
