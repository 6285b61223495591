import type { FlowColumns } from '../../domain/flow.js';
import { PROTO } from '../../domain/packet.js';
import type { PacketObserver } from '../../domain/stage.js';
import { ArpDetector } from './arp.js';
import { Baselines } from './baselines.js';
import { BeaconDetector } from './beacon.js';
import { BruteForceDetector } from './brute-force.js';
import { ContactWatch } from './contact-watch.js';
import { VOLUME_STEP_BYTES, type Detector, type FlowMoment } from './detector.js';
import { DnsTunnelDetector } from './dns-tunnel.js';
import { ExfiltrationDetector } from './exfiltration.js';
import { FloodDetector } from './flood.js';
import { insideOf } from './flow-moment.js';
import { FlowWatch } from './flow-watch.js';
import { HomeNetworks } from './home-networks.js';
import { HttpLoadDetector } from './http-load.js';
import { IcmpTunnelDetector } from './icmp-tunnel.js';
import { LateralDetector } from './lateral.js';
import type { BehaviourOptions } from './options.js';
import { PortScanDetector } from './port-scan.js';
import { endpointsOf, Reporter, type BehaviourDeps } from './reporter.js';
import { ReflectorDetector } from './reflector.js';
import { RogueDhcpDetector } from './rogue-dhcp.js';
import { RogueRouterDetector } from './rogue-router.js';
import { Sources } from './sources.js';
import { TcpWatch } from './tcp-watch.js';

/** What every detector is built from. */
export interface DetectorContext {
  options: BehaviourOptions;
  sources: Sources;
  reporter: Reporter;
  /** Absent when nothing is to be learned. */
  baselines: Baselines | undefined;
}

/** The detectors, and what they have learned. */
export interface Behaviour extends PacketObserver {
  baselines: Pick<Baselines, 'takeChanged' | 'restore' | 'forget'> | undefined;
}

/** One line a detector: whether it is on, and how to build it. */
const DETECTORS: readonly ((c: DetectorContext) => Detector | undefined)[] = [
  (c) => (c.options.portScan.enabled ? new PortScanDetector(c.options, c.sources, c.reporter, c.baselines) : undefined),
  (c) => (c.options.flood.enabled ? new FloodDetector(c.options, c.sources, c.reporter) : undefined),
  (c) => (c.options.reflector.enabled ? new ReflectorDetector(c.options, c.sources, c.reporter) : undefined),
  (c) => (c.options.arp.enabled ? new ArpDetector(c.options, c.sources, c.reporter) : undefined),
  (c) =>
    c.options.bruteForce.enabled ? new BruteForceDetector(c.options, c.sources, c.reporter, c.baselines) : undefined,
  (c) =>
    c.options.httpFlood.enabled || c.options.slowHttp.enabled
      ? new HttpLoadDetector(c.options, c.sources, c.reporter, c.baselines)
      : undefined,
  (c) => (c.options.icmpTunnel.enabled ? new IcmpTunnelDetector(c.options, c.sources, c.reporter) : undefined),
  (c) => (c.options.dns.enabled ? new DnsTunnelDetector(c.options, c.sources, c.reporter) : undefined),
  (c) => (c.options.beacon.enabled ? new BeaconDetector(c.options, c.sources, c.reporter, c.baselines) : undefined),
  (c) => (c.options.lateral.enabled ? new LateralDetector(c.options, c.sources, c.reporter, c.baselines) : undefined),
  (c) =>
    c.options.exfiltration.enabled
      ? new ExfiltrationDetector(c.options, c.sources, c.reporter, c.baselines)
      : undefined,
  (c) => (c.options.rogueDhcp.enabled ? new RogueDhcpDetector(c.options, c.sources, c.reporter) : undefined),
  (c) => (c.options.rogueRouter.enabled ? new RogueRouterDetector(c.options, c.sources, c.reporter) : undefined),
];

/** All behaviour detectors as one observer of packets. */
export function createBehaviour(options: BehaviourOptions, deps: BehaviourDeps): Behaviour {
  const sources = new Sources(options.maxSources);
  const reporter = new Reporter(deps, options.realertSecs);
  const home = new HomeNetworks(options.homeNetworks);
  const contacts = new ContactWatch();
  const baselines = options.baseline.enabled ? new Baselines(options, contacts) : undefined;
  const context = { options, sources, reporter, baselines };
  const built = DETECTORS.map((build) => build(context));
  const enabled = [baselines, ...built].filter((d): d is Detector => d !== undefined);
  const isContactWanted = contacts.listen(enabled);
  const detectors: readonly Detector[] = isContactWanted ? [contacts, ...enabled] : enabled;
  const having = <K extends keyof Detector>(method: K): Detector[] => detectors.filter((d) => d[method] !== undefined);
  const onFailed = having('onFailed');
  const onProductive = having('onProductive');
  const onUdp = having('onUdp');
  const onIcmp = having('onIcmp');
  const onVolume = having('onVolume');
  const onOther = having('onOther');
  const onEnd = having('onEnd');
  const onTick = having('onTick');
  const tcp = new TcpWatch(having('onTcp'));
  let lastFlows: FlowColumns | null = null;

  const watch = new FlowWatch(options, {
    failed(at: FlowMoment, failure: number) {
      at.inside = insideOf(at, home);
      for (const d of onFailed) d.onFailed!(at, failure);
    },
    productive(at: FlowMoment) {
      at.inside = insideOf(at, home);
      for (const d of onProductive) d.onProductive!(at);
    },
    proven(at: FlowMoment) {
      const source = sources.ofMoment(at);
      if (!sources.isSpoofable(source)) return;
      sources.prove(source);
      if (reporter.isWaitingForProof) reporter.proved(endpointsOf(at.flows, at.slot).srcIp, at.packetUs);
    },
  });

  return {
    baselines,
    onPacket(p, flows, slot, direction, isNew) {
      lastFlows = flows;
      if (p.tsUs >= watch.nextDueUs) watch.onTime(flows, p.tsUs);
      if (slot < 0) {
        for (const d of onOther) d.onOther!(p);
        return;
      }
      watch.onPacket(p, flows, slot, direction, isNew);
      if (p.proto === PROTO.TCP) tcp.onPacket(p, flows, slot, direction, isNew);
      else if (p.proto === PROTO.UDP) for (const d of onUdp) d.onUdp!(p, flows, slot, direction, isNew);
      else if (p.proto === PROTO.ICMP || p.proto === PROTO.ICMPV6)
        for (const d of onIcmp) d.onIcmp!(p, flows, slot, direction);
      if (direction === 0 && crossesStep(flows.payloadFwd[slot]!, p.payloadLen))
        for (const d of onVolume) d.onVolume!(p, flows, slot);
    },
    onFlowEnd(flows, slot, reason, nowUs) {
      if (reason === 'shutdown') contacts.settle(nowUs);
      watch.onFlowEnd(flows, slot, reason, nowUs);
      for (const d of onEnd) d.onEnd!(flows, slot, reason, nowUs);
    },
    onTick(nowUs) {
      if (lastFlows) watch.onTime(lastFlows, nowUs);
      for (const d of onTick) d.onTick!(nowUs);
    },
    stats: () =>
      Object.assign(
        {
          behaviour_detections: reporter.reported,
          behaviour_sources_evicted: sources.table.evictions,
          behaviour_judged_early: watch.judgedEarly,
        },
        ...detectors.map((d) => d.stats?.() ?? {}),
      ) as Record<string, number>,
  };
}

/** True when the last `bytes` of `total` carried it over a multiple of the volume step. */
function crossesStep(total: number, bytes: number): boolean {
  return ((total ^ (total - bytes)) & -VOLUME_STEP_BYTES) !== 0;
}
