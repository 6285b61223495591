import { lookup } from 'node:dns/promises';
import type { Actor } from '../../api/index.js';
import type { AllowCheck, AllowRequest } from '../../contract/http.js';
import type { AllowEntry } from '../../domain/decision.js';
import { isAllowTooWide } from '../../enforce/index.js';
import { AppError } from '../../util/errors.js';
import { canonicalAddress, cidrOverlaps, parseCidr, type Cidr } from '../../util/ip.js';
import { uuid7 } from '../../util/uuid7.js';
import { liftAllowed } from './lift-allowed.js';
import type { ServerParts } from './parts.js';

const HOST_NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_.-]*[a-z0-9])?\.[a-z][a-z0-9-]*$/;
const MAX_NAME_ADDRESSES = 64;

type Parts = Pick<ServerParts, 'store' | 'book' | 'exemptions' | 'refreshAllowlist'>;

/** The allowlist as the API changes and examines it. */
export interface AllowlistControl {
  /** @throws AppError allowlist.invalid, allowlist.too_wide */
  add(request: AllowRequest, actor: Actor): Promise<AllowEntry>;
  remove(id: string): Promise<void>;
  check(value: string): Promise<AllowCheck>;
}

export function createAllowlistControl(parts: Parts): AllowlistControl {
  const { store, book, exemptions } = parts;
  return {
    async add(request, actor) {
      const value = canonicalAddress(request.value) ?? request.value.toLowerCase();
      const refused = refusal(value);
      if (refused) throw new AppError({ kind: 'user', ...refused });
      const now = Date.now();
      const entry: AllowEntry = {
        id: uuid7(),
        value,
        owner: actor.name,
        comment: request.comment,
        createdMs: now,
        expiresMs: request.durationSecs ? now + request.durationSecs * 1000 : 0,
      };
      await store.allowlist.add(entry);
      await parts.refreshAllowlist();
      const resolved = exemptions.allowedNow().filter((e) => e.id === entry.id);
      liftAllowed(book, resolved, now);
      return entry;
    },
    async remove(id) {
      await store.allowlist.remove(id);
      await parts.refreshAllowlist();
    },
    async check(text) {
      const value = canonicalAddress(text) ?? text.toLowerCase();
      const refused = refusal(value)?.message ?? null;
      const addresses = parseCidr(value) ? [value] : refused === null ? await resolveName(value) : [];
      const networks = addresses.flatMap((a) => parseCidr(a) ?? []);
      const overlaps = exemptions.allowedNow().flatMap((entry) => {
        const about = parseCidr(entry.value);
        const relation = about && networks.map((n) => relationOf(about, n)).find((r) => r !== undefined);
        return relation ? [{ ...entry, relation }] : [];
      });
      const decisions = book.active().filter((d) => overlapsAny(d.value, networks));
      const kept = exemptions.protected().filter((p) => overlapsAny(p.value, networks));
      const lifted = decisions.filter((d) => {
        const about = parseCidr(d.value);
        return about && networks.some((n) => n.prefix <= about.prefix);
      });
      return {
        value,
        addresses,
        refused,
        overlaps,
        protected: kept,
        decisions,
        text: [
          refused ??
            (addresses.length === 0 ? `${value} does not resolve now.` : `It stands for ${addresses.join(', ')}.`),
          ...overlaps.map((o) => `${o.value} (${o.owner}: ${o.comment}) ${RELATION_TEXT[o.relation]}.`),
          ...(kept.length > 0
            ? [`${kept.map((k) => k.value).join(', ')} can never be blocked anyway: protected.`]
            : []),
          `Decisions that would be lifted: ${lifted.length}; wider ones that the kernel would override: ${decisions.length - lifted.length}.`,
        ],
      };
    },
  };
}

const RELATION_TEXT = {
  same: 'exempts the same already',
  covers: 'covers it already',
  inside: 'lies inside it and would become unnecessary',
} as const;

function relationOf(existing: Cidr, asked: Cidr): keyof typeof RELATION_TEXT | undefined {
  if (!cidrOverlaps(existing, asked)) return undefined;
  if (existing.prefix === asked.prefix) return 'same';
  return existing.prefix < asked.prefix ? 'covers' : 'inside';
}

function overlapsAny(value: string, networks: readonly Cidr[]): boolean {
  const about = parseCidr(value);
  return about !== undefined && networks.some((n) => cidrOverlaps(n, about));
}

function refusal(value: string): { code: string; message: string; fix: string } | undefined {
  const network = parseCidr(value);
  if (!network && !HOST_NAME.test(value)) {
    return {
      code: 'allowlist.invalid',
      message: `"${value}" is not an address, a prefix or a DNS name.`,
      fix: 'Write for example 203.0.113.7, 203.0.113.0/24, 2001:db8::/64 or office.example.net.',
    };
  }
  if (network && isAllowTooWide(network)) {
    return {
      code: 'allowlist.too_wide',
      message: `${value} is too wide for the allowlist: it would switch enforcement off for a large part of the Internet.`,
      fix: 'Exempt a narrower prefix, or set the mode to observe.',
    };
  }
  return undefined;
}

async function resolveName(name: string): Promise<string[]> {
  const found = await lookup(name, { all: true }).catch(() => []);
  return found.flatMap((a) => canonicalAddress(a.address) ?? []).slice(0, MAX_NAME_ADDRESSES);
}
