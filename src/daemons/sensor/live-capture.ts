import { listInterfaces, openSource, type PacketSource } from '../../capture/index.js';
import type { SourceInput } from '../../capture/options.js';
import type { CaptureStats, PacketBlock } from '../../domain/packet.js';
import { AppError, errorMessage } from '../../util/errors.js';
import type { Logger } from '../../util/logger.js';

export interface LiveCaptureDeps {
  /** How to open one interface. */
  sourceFor(interfaceName: string, interfaceId: number): SourceInput;
  onBlock(block: PacketBlock): void;
  /** An interface stopped for good; capture of the others goes on. */
  onProblem(error: AppError): void;
  log: Logger;
}

/** Capture on a changeable set of interfaces. */
export interface LiveCapture {
  /** Opens what is new and closes what is gone. @throws AppError when an interface cannot be opened; the others stay. */
  setInterfaces(names: readonly string[]): Promise<void>;
  readonly interfaces: readonly string[];
  /** Sum over the interfaces, closed ones included. */
  stats(): CaptureStats;
  close(): Promise<void>;
}

interface Running {
  source: PacketSource;
  stop: AbortController;
  done: Promise<void>;
}

export function createLiveCapture(deps: LiveCaptureDeps): LiveCapture {
  const running = new Map<string, Running>();
  const ended: CaptureStats = { packets: 0, bytes: 0, kernelDrops: 0, reopens: 0 };
  let nextId = 0;
  /** One change after another. */
  let changes: Promise<unknown> = Promise.resolve();

  async function open(name: string): Promise<void> {
    const source = await openSource(deps.sourceFor(name, nextId++ & 0xff));
    const stop = new AbortController();
    const done = source.run(deps.onBlock, stop.signal).then(
      () => finish(name, source),
      (error: unknown) => {
        finish(name, source);
        deps.onProblem(
          error instanceof AppError
            ? error
            : new AppError({
                kind: 'bug',
                code: 'sensor.capture_failed',
                message: `Capture on ${name} stopped: ${errorMessage(error)}`,
                cause: error,
              }),
        );
      },
    );
    running.set(name, { source, stop, done });
    deps.log.info({ interface: name }, 'Capture started.');
  }

  function finish(name: string, source: PacketSource): void {
    addStats(ended, source.stats());
    source.close();
    if (running.get(name)?.source === source) running.delete(name);
    deps.log.info({ interface: name }, 'Capture ended.');
  }

  async function close(name: string): Promise<void> {
    const entry = running.get(name);
    entry?.stop.abort();
    await entry?.done;
  }

  async function setTo(names: readonly string[]): Promise<void> {
    for (const name of [...running.keys()]) if (!names.includes(name)) await close(name);
    for (const name of names) if (!running.has(name)) await open(name);
  }

  return {
    setInterfaces(names) {
      const change = changes.then(() => setTo(names));
      changes = change.catch(() => undefined);
      return change;
    },
    get interfaces() {
      return [...running.keys()];
    },
    stats() {
      const sum = { ...ended };
      for (const { source } of running.values()) addStats(sum, source.stats());
      return sum;
    },
    async close() {
      for (const name of [...running.keys()]) await close(name);
    },
  };
}

function addStats(sum: CaptureStats, part: CaptureStats): void {
  sum.packets += part.packets;
  sum.bytes += part.bytes;
  sum.kernelDrops += part.kernelDrops;
  sum.reopens += part.reopens;
}

/**
 * The interfaces to watch when none is configured: every one that is up and not loopback; loopback alone when there is
 * nothing else.
 */
export function defaultInterfaces(): string[] {
  const up = listInterfaces().filter((i) => i.isUp && i.linkType >= 0);
  const real = up.filter((i) => i.name !== 'lo').map((i) => i.name);
  return real.length > 0 ? real : up.map((i) => i.name);
}
