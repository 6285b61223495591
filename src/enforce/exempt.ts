import type { AllowEntry, ProtectedEntry } from '../domain/decision.js';
import { formatCidr, parseCidr, type Cidr } from '../util/ip.js';
import type { SetElement } from './element.js';
import { setName, specFor, type SetRole, type SetSpec } from './layout.js';
import type { Core } from './core.js';
import type { ElementOp } from './ledger.js';

/** Widest allow entry: a wider one would switch enforcement off. */
const WIDEST_ALLOW = { 4: 8, 6: 16 } as const;

export function isAllowTooWide(network: Cidr): boolean {
  return network.prefix < WIDEST_ALLOW[network.version];
}

/**
 * The protected set and the allowlist: kept in kernel sets ahead of every drop, and known to the guard. They reach the
 * kernel before anything that is decided later, because the pump keeps the order of urgent jobs.
 */
export class ExemptBook {
  private readonly core: Core;
  private computed: ProtectedEntry[] = [];
  private pushed: ProtectedEntry[] = [];
  protected: { network: Cidr; entry: ProtectedEntry }[] = [];
  allowed: { network: Cidr; entry: AllowEntry }[] = [];

  constructor(core: Core) {
    this.core = core;
  }

  /** What was found on the box. */
  setComputed(entries: readonly ProtectedEntry[]): void {
    this.computed = [...entries];
    this.protect();
  }

  /** What the server adds: SIEM, database, bus, console sessions. */
  setPushed(entries: readonly ProtectedEntry[]): void {
    this.pushed = [...entries];
    this.protect();
  }

  get pushedEntries(): readonly ProtectedEntry[] {
    return this.pushed;
  }

  entries(): ProtectedEntry[] {
    return this.protected.map((p) => p.entry);
  }

  /** The allowlist with names already resolved to addresses; replaces the one before. */
  setAllowed(entries: readonly AllowEntry[]): void {
    const { core } = this;
    const wallMs = core.clock.wallMs();
    const before = new Set(this.allowed.map((a) => allowHolder(a.entry.id)));
    this.allowed = entries.flatMap((entry) => {
      const network = parseCidr(entry.value);
      if (!network || (entry.expiresMs > 0 && entry.expiresMs <= wallMs)) return [];
      if (!isAllowTooWide(network)) return [{ network, entry }];
      core.emit.incident({
        severity: 'high',
        code: 'enforce.allow_too_wide',
        message: `The allow entry ${entry.value} is refused: it would switch enforcement off.`,
        details: { value: entry.value, owner: entry.owner },
      });
      return [];
    });
    const byHolder = new Map<string, { networks: Cidr[]; deadlineMs: number }>();
    for (const { network, entry } of this.allowed) {
      const deadlineMs = entry.expiresMs > 0 ? core.clock.monoMs() + entry.expiresMs - wallMs : Infinity;
      const holder = allowHolder(entry.id);
      const known = byHolder.get(holder);
      if (known) known.networks.push(network);
      else byHolder.set(holder, { networks: [network], deadlineMs });
    }
    const ops: ElementOp[] = [];
    for (const [holder, { networks, deadlineMs }] of byHolder) {
      before.delete(holder);
      ops.push(...core.ledger.hold(holder, this.elements('allow', networks), deadlineMs));
    }
    for (const holder of before) ops.push(...core.ledger.drop(holder));
    this.submit(ops);
  }

  /** Drops allow entries whose time has come; the kernel has dropped their elements by itself. */
  expire(): void {
    const wallMs = this.core.clock.wallMs();
    const over = this.allowed.filter((a) => a.entry.expiresMs > 0 && a.entry.expiresMs <= wallMs);
    if (over.length === 0) return;
    for (const { entry } of over) this.core.ledger.drop(allowHolder(entry.id));
    this.allowed = this.allowed.filter((a) => !over.includes(a));
  }

  private protect(): void {
    const { core } = this;
    const before = new Map(this.protected.map((p) => [p.entry.value, p]));
    const byValue = new Map<string, { network: Cidr; entry: ProtectedEntry }>();
    for (const entry of [...this.computed, ...this.pushed]) {
      const network = parseCidr(entry.value);
      if (network && network.prefix > 0 && !byValue.has(entry.value)) byValue.set(entry.value, { network, entry });
    }
    this.protected = [...byValue.values()];
    const ops: ElementOp[] = [];
    for (const [value, { network }] of byValue) {
      if (before.delete(value)) continue;
      ops.push(...core.ledger.hold(protectHolder(value), this.elements('protect', [network]), Infinity));
    }
    for (const value of before.keys()) ops.push(...core.ledger.drop(protectHolder(value)));
    this.submit(ops);
  }

  private elements(role: SetRole, networks: readonly Cidr[]): SetElement[] {
    return networks.map((network) => ({ set: setName(role, network.version, network.prefix), ip: network }));
  }

  /** Sets of prefix lengths that were not needed before are added to the table first. */
  private submit(ops: readonly ElementOp[]): void {
    const { core } = this;
    if (ops.length === 0) return;
    const fresh = this.missingSets(ops);
    if (!core.isLoaded) return;
    if (fresh.length > 0) {
      void core.pump
        .run(async () => {
          for (const spec of fresh) await core.backend.extend(core.layout, spec);
        })
        .catch((error: unknown) => {
          core.log.error({ error: String(error) }, 'an exempting set could not be added');
        });
    }
    core.pump.submit({
      ops,
      urgent: true,
      done: (error) => {
        if (error !== undefined) core.log.error({ error }, 'exempt elements could not be changed');
      },
    });
  }

  private missingSets(ops: readonly ElementOp[]): SetSpec[] {
    const { layout, options } = this.core;
    const fresh: SetSpec[] = [];
    for (const { element } of ops) {
      if (layout.sets.has(element.set)) continue;
      const m = /^(protect|allow)([46])_(\d+)$/.exec(element.set);
      if (!m) throw new Error(`no such set: ${element.set} (${formatCidr({ ...element.ip, prefix: 0 })})`);
      const spec = specFor(m[1] as SetRole, m[2] === '4' ? 4 : 6, Number(m[3]), options);
      layout.sets.set(spec.name, spec);
      fresh.push(spec);
    }
    return fresh;
  }
}

function protectHolder(value: string): string {
  return `protect:${value}`;
}

function allowHolder(id: string): string {
  return `allow:${id}`;
}
