import { execa } from 'execa';
import { errorMessage } from '../util/errors.js';
import { formatCidr, parseCidr } from '../util/ip.js';
import type { Logger } from '../util/logger.js';
import type { KeptDecision } from './journal-record.js';
import { openConntrack, type ConnectionFilter, type Conntrack } from './netlink/conntrack.js';

/** Blocks that come within this time share one look at the table of connections. */
const GATHER_MS = 5;
const MAX_WAITING = 1000;

export interface ConnectionCleanerDeps {
  log: Logger;
  netns?: string;
}

/**
 * Makes the kernel forget the connections of what has been blocked (`enforce.conntrack: delete`): a flowtable lets go
 * of them, and "established" does not match them any more. It comes after the block and never delays one.
 */
export class ConnectionCleaner {
  private readonly deps: ConnectionCleanerDeps;
  private waiting: ConnectionFilter[] = [];
  private timer: NodeJS.Timeout | undefined;
  private table: Conntrack | undefined;
  private running: Promise<void> = Promise.resolve();
  forgotten = 0;
  /** Blocks whose connections were not looked for, because too many came at once. */
  skipped = 0;

  constructor(deps: ConnectionCleanerDeps) {
    this.deps = deps;
  }

  /** The decision is in force. */
  blocked(decision: KeptDecision): void {
    const network = parseCidr(decision.value);
    if (!network || decision.action !== 'block') return;
    if (this.waiting.length >= MAX_WAITING) {
      this.skipped++;
      return;
    }
    const { proto, port } = decision;
    const service = decision.scope === 'service' || decision.scope === 'flow';
    this.waiting.push({
      network,
      ...(service && proto !== undefined ? { proto } : {}),
      ...(service && port !== undefined ? { port } : {}),
    });
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.running = this.running.then(() => this.clean(this.waiting.splice(0)));
    }, GATHER_MS);
  }

  async close(): Promise<void> {
    clearTimeout(this.timer);
    await this.running;
    this.table?.close();
  }

  private async clean(filters: readonly ConnectionFilter[]): Promise<void> {
    try {
      const { netns } = this.deps;
      this.table ??= openConntrack(netns === undefined ? {} : { netns });
      this.forgotten += await this.table.forget(filters);
    } catch (error) {
      this.deps.log.warn({ error: errorMessage(error) }, 'ctnetlink cannot be used; the conntrack program is tried');
      for (const filter of filters) await this.byProgram(filter);
    }
  }

  /** `conntrack -D` for each end; it ends with 1 when there was none. */
  private async byProgram({ network, proto, port }: ConnectionFilter): Promise<void> {
    const { netns } = this.deps;
    const family = ['-f', network.version === 4 ? 'ipv4' : 'ipv6'];
    const service =
      proto === undefined ? [] : ['-p', String(proto), ...(port === undefined ? [] : ['--dport', String(port)])];
    for (const side of ['-s', '-d', '-r', '-q']) {
      const args = ['-D', ...family, side, formatCidr(network), ...service];
      const [file, argv] =
        netns === undefined ? ['conntrack', args] : ['ip', ['netns', 'exec', netns, 'conntrack', ...args]];
      const { exitCode } = await execa(file, argv, { reject: false, stdin: 'ignore', timeout: 10_000 });
      if (exitCode === 0) this.forgotten += 1;
    }
  }
}
