import type { ProtectedEntry } from '../../domain/decision.js';
import type { Logger } from '../../util/logger.js';
import { errorMessage } from '../../util/errors.js';
import { NETLINK_ROUTE, openNetlinkSocket, type NetlinkSocket } from '../../util/netlink/socket.js';
import type { Box } from './box.js';
import { ProtectedCollector } from './collect.js';

/** RTNLGRP_LINK, _IPV4_IFADDR, _IPV4_ROUTE, _IPV6_IFADDR, _IPV6_ROUTE (include/uapi/linux/rtnetlink.h). */
const ROUTE_GROUPS = [1, 5, 7, 9, 11];
const POLL_MS = 200;

export interface ProtectWatchDeps {
  box: Box;
  log: Logger;
  /** Monotonic milliseconds. */
  nowMs: () => number;
  netns?: string;
  /** Interfaces, addresses or routes changed. */
  onNetworkChange?(): void;
}

/** Keeps the computed protected set current: at every address or route change, and on a slow timer. */
export class ProtectWatch {
  private readonly collector: ProtectedCollector;
  private readonly deps: ProtectWatchDeps;
  private readonly options: { configured: readonly string[]; refreshSecs: number };
  private readonly onChange: (entries: ProtectedEntry[]) => void;
  private socket: NetlinkSocket | undefined;
  private timer: NodeJS.Timeout | undefined;
  private lastMs = -Infinity;
  private last = '';
  private busy: Promise<void> | undefined;

  constructor(
    options: { configured: readonly string[]; refreshSecs: number },
    deps: ProtectWatchDeps,
    onChange: (entries: ProtectedEntry[]) => void,
  ) {
    this.options = options;
    this.deps = deps;
    this.onChange = onChange;
    this.collector = new ProtectedCollector(deps.box);
  }

  /** Collects once, then keeps watching. */
  async start(): Promise<void> {
    await this.refresh();
    try {
      const where = this.deps.netns === undefined ? {} : { netns: this.deps.netns };
      this.socket = openNetlinkSocket(NETLINK_ROUTE, { groups: ROUTE_GROUPS, ...where });
    } catch (error) {
      this.deps.log.warn({ error: errorMessage(error) }, 'address changes are only seen by the timer');
    }
    this.timer = setInterval(() => this.poll(), POLL_MS);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
    this.socket?.close();
    this.socket = undefined;
  }

  /** Collects now; a call during a collection waits for that one. */
  refresh(): Promise<void> {
    this.busy ??= this.collect().finally(() => {
      this.busy = undefined;
    });
    return this.busy;
  }

  private poll(): void {
    let changed = false;
    while (this.socket?.receive() !== undefined) changed = true;
    if (changed) this.deps.onNetworkChange?.();
    const due = this.deps.nowMs() - this.lastMs >= this.options.refreshSecs * 1000;
    if (changed || due) void this.refresh();
  }

  private async collect(): Promise<void> {
    this.lastMs = this.deps.nowMs();
    try {
      const entries = await this.collector.collect(this.options.configured, this.lastMs);
      const text = JSON.stringify(entries);
      if (text === this.last) return;
      this.last = text;
      this.onChange(entries);
    } catch (error) {
      this.deps.log.warn(
        { error: errorMessage(error) },
        'the protected set could not be recomputed; the last one stays',
      );
    }
  }
}
