import { busSocketPath, runBusClient, type Incoming } from '../../bus/index.js';
import { interfaceIndex } from '../../capture/index.js';
import type { LoadedConfig } from '../../config/index.js';
import type { Detection } from '../../domain/detection.js';
import { nowUs } from '../../util/clock.js';
import { AppError } from '../../util/errors.js';
import type { Logger } from '../../util/logger.js';
import { VERSION } from '../../util/version.js';
import { createDetectors } from '../detectors.js';
import { createPipeline } from '../pipeline.js';
import { waitForAbort } from '../wait.js';
import { createDetectionGate } from './detection-gate.js';
import { createInjection } from './injection.js';
import { createPacketRecorder } from './packet-recorder.js';
import { createFlowReporter } from './flow-reporter.js';
import { InterfaceFollower } from './follow-interfaces.js';
import { createLiveCapture, defaultInterfaces, type LiveCapture } from './live-capture.js';
import { sensorBypass } from './skip-bypassed.js';
import { warmUpSensor } from './warm-up.js';

/** Live packets may wait this long in the kernel's ring before the sensor's clock passes them, microseconds. */
const CLOCK_LAG_US = 50_000;
const MAX_FLOW_REPORTS_PER_SEC = 2000;
const SCORING_REPORT_MS = 10_000;
/** Hosts whose baseline is told in a second. */
const BASELINES_A_SECOND = 4;
/** Scans that the compiler sees before the first real one; they take a quarter of a second. */
const WARM_UP_ROUNDS = 100;
const GATE = { intervalUs: 250_000, maxKeys: 20_000 };

/**
 * The sensor daemon: live packets to detections for the server. Resolves when the signal aborts.
 * @throws AppError when no interface can be opened.
 */
export async function runSensor(
  config: LoadedConfig,
  log: Logger,
  signal: AbortSignal,
  ready: () => void,
): Promise<void> {
  // Set below; the server may ask before.
  let capture: LiveCapture | undefined = undefined;
  const { evidence } = config.capture;
  const recorder = evidence.enabled
    ? createPacketRecorder({ ...evidence, ringBytes: evidence.ringMiB * 1024 * 1024 }, (found) =>
        bus.send({ type: 'evidence', ...found }),
      )
    : undefined;
  const gate = createDetectionGate(GATE, (detection: Detection) => {
    bus.send({ type: 'detection', detection });
    recorder?.note(detection);
  });
  const detectors = await createDetectors(config, {
    intelFolder: config.detect.intel.folder,
    emit: gate.push,
    log,
    sensor: config.name,
    dataDir: config.data_dir,
    bypass: sensorBypass(config),
  });
  const reporter = createFlowReporter({
    maxPerSec: MAX_FLOW_REPORTS_PER_SEC,
    send: (flows) => bus.send({ type: 'flows', flows }),
  });
  // The server is dialled when its commands can be carried out.
  /** Ends the bus when everything that is left has been said. */
  const goodbye = new AbortController();
  const bus = runBusClient(
    {
      role: 'sensor',
      path: busSocketPath(config.runtime_dir, 'sensor'),
      name: config.name,
      info: () => ({ version: VERSION, interfaces: capture?.interfaces ?? [] }),
      onMessage: (message) => void command(message),
      // What was said while nobody listened is found again on disk.
      onConnect: () => void detectors.refresh(),
      log,
    },
    goodbye.signal,
  );
  const observers = recorder ? [recorder.observer, ...detectors.observers] : detectors.observers;
  const pipeline = createPipeline(config, { observers, onFlowEnd: reporter.onFlowEnd });
  const live = createLiveCapture({
    sourceFor: (name, interfaceId) => sourceFor(config, name, interfaceId),
    onBlock: (block) => {
      if (recorder) recorder.linkType = block.linkType;
      pipeline.push(block);
    },
    onProblem: (error) => {
      log.error({ code: error.code, err: error.message }, 'An interface stopped.');
      bus.send({
        type: 'problem',
        code: error.code,
        message: error.message,
        ...(error.fix === undefined ? {} : { fix: error.fix }),
      });
    },
    log,
  });
  capture = live;
  const followsDefaults = config.capture.interfaces.length === 0;
  const chosen = (): readonly string[] => (followsDefaults ? defaultInterfaces() : config.capture.interfaces);
  let followed = followsDefaults;
  const follower = new InterfaceFollower({
    live,
    present: defaultInterfaces,
    exists: (name) => interfaceIndex(name) !== undefined,
    isWanted: () => followed,
    log,
  });
  if (chosen().length === 0) {
    throw new AppError({
      kind: 'operational',
      code: 'sensor.no_interface',
      message: 'There is no network interface to watch.',
      fix: 'Bring an interface up, or name one under capture.interfaces.',
    });
  }

  async function command(message: Incoming<'sensor'>): Promise<void> {
    try {
      if (message.type === 'capture') {
        followed = message.running && message.interfaces === undefined && followsDefaults;
        await live.setInterfaces(message.running ? (message.interfaces ?? chosen()) : []);
      } else if (message.type === 'inject') {
        const { packets, sample, gapMs } = message;
        pipeline.push(createInjection({ packets, sample, gapMs }, nowUs()).block);
      } else if (message.type === 'reload') await detectors.reload(message.what);
      else if (message.type === 'baselines') detectors.baselines?.restore(message.hosts);
      else detectors.baselines?.forget(message.host);
    } catch (error) {
      const problem = error instanceof AppError ? error : undefined;
      log.error({ err: error }, 'A command of the server failed.');
      bus.send({
        type: 'problem',
        code: problem?.code ?? 'sensor.command_failed',
        message: problem?.message ?? 'The command failed.',
      });
    }
  }

  const ticker = setInterval(() => {
    pipeline.tick(nowUs() - CLOCK_LAG_US);
    gate.tick(nowUs());
    recorder?.tick(nowUs());
    reporter.flush();
  }, 100);
  const statistics = setInterval(() => {
    const { packets, bytes, kernelDrops, reopens } = live.stats();
    const stats = {
      packets,
      bytes,
      kernelDrops,
      reopens,
      interfaces: live.interfaces.join(','),
      ...pipeline.stats(),
      ...detectors.stats(),
      ...reporter.stats(),
      ...gate.stats(),
      ...recorder?.stats(),
    };
    bus.send({ type: 'stats', atMs: Date.now(), stats });
    const hosts = detectors.baselines?.takeChanged(BASELINES_A_SECOND) ?? [];
    if (hosts.length > 0) bus.send({ type: 'baselines', hosts });
  }, 1000);
  const scoring = setInterval(() => {
    void detectors.refresh();
    const report = detectors.takeScoringReport();
    if (report.samples.length > 0 || report.shadow.length > 0) bus.send({ type: 'scoring', ...report });
  }, SCORING_REPORT_MS);
  try {
    warmUpSensor(config, WARM_UP_ROUNDS);
    await live.setInterfaces(chosen());
    follower.start();
    ready();
    await waitForAbort(signal);
  } finally {
    follower.close();
    clearInterval(ticker);
    clearInterval(statistics);
    clearInterval(scoring);
    await live.close();
    pipeline.flush();
    gate.flush();
    reporter.flush();
    await detectors.close();
    goodbye.abort();
    await bus.done;
  }
}

function sourceFor(config: LoadedConfig, name: string, interfaceId: number) {
  const { source, interfaces: _interfaces, evidence: _evidence, filter, ...ring } = config.capture;
  if (source === 'cap') return { kind: 'cap' as const, interface: name, interfaceId, filter };
  return { kind: 'afpacket' as const, interface: name, interfaceId, ...ring };
}
