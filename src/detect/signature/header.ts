import { TCP, PROTO } from '../../domain/packet.js';
import { TCP_STATE } from '../../domain/flow.js';
import { inRanges } from './parse/address.js';
import { inRange } from './parse/number.js';
import { inPorts } from './parse/port.js';
import type { AppProtocolTest, FlowCondition, Rule } from './rule.js';
import type { Scene } from './scene.js';

/** Protocol, addresses, ports, direction and flow of a rule against the packet, without looking at its bytes. */
export function headerMatches(rule: Rule, scene: Scene): boolean {
  return addressesMatch(rule, scene) && (rule.flow === undefined || flowMatches(rule, rule.flow, scene));
}

/** What of it is the same for all packets of one direction of a flow: protocol, addresses, ports and direction. */
export function addressesMatch(rule: Rule, scene: Scene): boolean {
  if (rule.ipProtos !== undefined && !rule.ipProtos.includes(scene.proto)) return false;
  if (!scene.flowless && (rule.towards & (1 << scene.side)) === 0) return false;
  if (scene.flowless && (rule.flow !== undefined || rule.towards !== BOTH)) return false;
  if (rule.direction === '=>') return endsMatch(rule, scene, scene.side === 0);
  return endsMatch(rule, scene, true) || (rule.direction === '<>' && endsMatch(rule, scene, false));
}

const BOTH = 3;

function endsMatch(rule: Rule, scene: Scene, straight: boolean): boolean {
  const ported = scene.proto === PROTO.TCP || scene.proto === PROTO.UDP || scene.proto === PROTO.SCTP;
  if (ported && (!inPorts(rule.srcPorts, scene.port(straight)) || !inPorts(rule.dstPorts, scene.port(!straight))))
    return false;
  return addressMatches(rule.src, scene, straight) && addressMatches(rule.dst, scene, !straight);
}

function addressMatches(ranges: Rule['src'], scene: Scene, sender: boolean): boolean {
  if (ranges.any) return true;
  if (scene.ipVersion === 4) return inRanges(ranges, 4, 0, 0, 0, scene.word(sender, 3) >>> 0);
  return inRanges(
    ranges,
    6,
    scene.word(sender, 0),
    scene.word(sender, 1),
    scene.word(sender, 2),
    scene.word(sender, 3),
  );
}

/** True once both ends have taken part: a completed handshake, or an answer. */
export function isEstablished(scene: Scene): boolean {
  const { flows, slot } = scene;
  if (!flows || slot < 0) return false;
  if (flows.proto[slot] === PROTO.TCP) {
    const state = flows.tcpState[slot]!;
    if (state === TCP_STATE.MIDSTREAM) return isPickedUp(scene);
    // The state moves on to closing or reset, which anybody can forge: what matters is that the handshake was complete before.
    const handshake = TCP.SYN | TCP.ACK;
    const bothSyn = (flows.tcpFlagsFwd[slot]! & TCP.SYN) !== 0 && (flows.tcpFlagsBwd[slot]! & handshake) === handshake;
    if (bothSyn) return flows.handshakePackets[slot]! > 0;
    // Begun with the answer to a SYN that was not seen: as good as midstream.
    return state === TCP_STATE.ESTABLISHED && isPickedUp(scene);
  }
  return flows.packetsFwd[slot]! > 0 && flows.packetsBwd[slot]! > 0;
}

/** Reassembly follows the connection although it did not see how it began. */
function isPickedUp(scene: Scene): boolean {
  return scene.state?.streams.some((x) => x !== undefined) ?? false;
}

function flowMatches(rule: Rule, flow: FlowCondition, scene: Scene): boolean {
  const packet = scene.packet;
  // Suricata asks here whether a content was just found in the stream: without one, or for messages, there is none.
  if (flow.onlyStream && (rule.payload.length === 0 || rule.kind === 'transaction')) return false;
  if (flow.onlyFragment && !packet?.isFragment) return false;
  if (flow.noFragment && packet?.isFragment) return false;
  if (!flow.established && !flow.notEstablished) return true;
  const established = isEstablished(scene) && !completesHandshake(scene);
  return flow.established ? established : !(scene.flowless || established);
}

/** The acknowledgement that a handshake ends with: the connection is established behind it. */
function completesHandshake({ packet, flows, slot }: Scene): boolean {
  if (packet === undefined || packet.payloadLen > 0 || !flows || slot < 0) return false;
  return flows.handshakePackets[slot] === flows.packetsFwd[slot]! + flows.packetsBwd[slot]!;
}

/** Tests that need the packet or numbers of the stream. */
export function packetMatches(rule: Rule, scene: Scene): boolean {
  const needsPacket = rule.packetTests.length > 0 || rule.streamEvents.length > 0 || rule.decodeEvents.length > 0;
  if (needsPacket) {
    if (!scene.packet || (!scene.flowless && scene.isTurned)) return false;
    for (const test of rule.packetTests) if (!test(scene.packet, scene.direction)) return false;
    for (const event of rule.streamEvents) if (!scene.events.includes(event)) return false;
    for (const event of rule.decodeEvents) if (!scene.decodeEvents.includes(event)) return false;
  }
  if (rule.appProtocol.length > 0 && !appProtocolsMatch(rule, scene)) return false;
  if (rule.flowTests.length > 0 && (scene.flowless || !rule.flowTests.every((test) => test(scene)))) return false;
  for (const size of rule.streamSize) if (!streamSizeMatches(size, scene)) return false;
  return true;
}

/**
 * `app-layer-protocol`: what the packet's direction speaks. A rule about nothing else matches once in each direction; one about
 * headers counts from the packet behind the one that told.
 */
function appProtocolsMatch(rule: Rule, scene: Scene): boolean {
  const sides = scene.app?.sides;
  if (sides === undefined) return false;
  const isHeader = rule.kind === 'packet';
  if (isHeader && isProtocolOnly(rule) && !sides.isFirst) return false;
  const spoken = isHeader ? sides.settled : sides.known;
  return rule.appProtocol.every((test) => appProtocolMatches(test, spoken, scene));
}

function appProtocolMatches(test: AppProtocolTest, spoken: readonly (string | undefined)[], scene: Scene): boolean {
  const { names, negated, where, exact } = test;
  const toServer = scene.app!.isReversed ? 1 : 0;
  const is = (there: string | undefined): boolean =>
    (there !== undefined || names.includes('unknown')) &&
    names.some((name) => isSame(name, there ?? 'unknown', exact)) !== negated;
  switch (where) {
    case 'direction':
      return is(spoken[scene.direction]);
    case 'to_server':
      return is(spoken[toServer]);
    case 'to_client':
      return is(spoken[1 - toServer]);
    case 'either':
      return is(spoken[0]) || is(spoken[1]);
    case 'final':
      return is(scene.app!.proto);
    case 'original':
      return is(scene.app!.sides.original);
  }
}

const isSame = (name: string, spoken: string, exact: boolean): boolean =>
  name === spoken || (name === 'http1' && spoken === 'http') || (!exact && name === 'http' && spoken === 'http2');

/** Protocols of the link: their rules are about frames, whatever is in them. */
const LINK_PROTOCOLS = new Set(['arp', 'ether']);

/** Asks for oddities of packets and nothing else, or for frames: also of packets that are not of IP. */
export function isHeaderless(rule: Rule): boolean {
  const { flow, ipProtos, src, dst } = rule;
  const ofFlows = [rule.streamEvents, rule.streamSize, rule.flowTests, rule.bits, rule.appProtocol, rule.flowInts];
  if (rule.kind !== 'packet' || flow !== undefined || ipProtos !== undefined || !src.any || !dst.any) return false;
  if (ofFlows.some((list) => list.length > 0)) return false;
  if (LINK_PROTOCOLS.has(rule.proto)) return rule.payload.length === 0;
  return rule.decodeEvents.length > 0 && rule.packetTests.length === 0 && rule.buffers.length === 0;
}

function isProtocolOnly(rule: Rule): boolean {
  const { flow } = rule;
  const isPlain = flow === undefined || !Object.values(flow).some(Boolean);
  const tests = [rule.packetTests, rule.buffers, rule.streamEvents, rule.decodeEvents, rule.streamSize, rule.flowTests];
  return isPlain && tests.every((list) => list.length === 0);
}

function streamSizeMatches(size: Rule['streamSize'][number], scene: Scene): boolean {
  if (scene.proto !== PROTO.TCP || !scene.content || scene.slot < 0) return false;
  // Counted in sequence numbers, of which the SYN is one.
  const client = 1 + scene.content.sentBytes(scene.slot, 0);
  const server = 1 + scene.content.sentBytes(scene.slot, 1);
  if (client === 0 && server === 0) return false;
  const { side, range } = size;
  if (side === 'client') return inRange(range, client);
  if (side === 'server') return inRange(range, server);
  if (side === 'both') return inRange(range, client) && inRange(range, server);
  return inRange(range, client) || inRange(range, server);
}

/** True when a `suppress` line names an address of the alert. */
export function isSuppressed(rule: Rule, scene: Scene): boolean {
  return rule.suppress.some(({ track, addresses }) => {
    const src = track !== 'by_dst' && addressMatches(addresses, scene, true);
    const dst = track !== 'by_src' && addressMatches(addresses, scene, false);
    return track === 'always' || src || dst;
  });
}
