import { nowUs } from '../../util/clock.js';
import { errorMessage } from '../../util/errors.js';
import { elementKeyText, type SetElement } from '../element.js';
import type { Layout } from '../layout.js';
import { layoutMark, renderExtension, renderRuleset } from '../ruleset.js';
import type { ApplyResult, EnforceBackend, KernelElement, KernelOp } from './backend.js';
import type { NftRunner } from './nft.js';

/** Everything through the `nft` program: slower (10 ms a transaction), and without the netlink library. */
export function createNftBackend(nft: NftRunner): EnforceBackend {
  let canUpdateTimeout = false;

  const present = async (layout: Layout): Promise<boolean> => {
    const tables = await nft.run(['list', 'tables']);
    const lines = new Set(tables.split('\n').map((l) => l.trim()));
    return layout.families.every((f) => lines.has(`table ${f} ${layout.table}`));
  };

  const attempt = async (
    layout: Layout,
    ops: readonly KernelOp[],
    result: ApplyResult,
    base: number,
  ): Promise<void> => {
    try {
      await nft.load(renderOps(layout, ops, canUpdateTimeout));
    } catch (error) {
      if (ops.length === 1) {
        result.failed.set(base, errorMessage(error));
        return;
      }
      const half = ops.length >> 1;
      await attempt(layout, ops.slice(0, half), result, base);
      await attempt(layout, ops.slice(half), result, base + half);
    }
  };

  return {
    name: 'nft',
    open: async (layout) => {
      layoutMark(layout);
      canUpdateTimeout = await probeTimeoutUpdate(nft, `${layout.table}_probe_${process.pid}`);
    },
    replace: async (layout, elements) => nft.load(renderRuleset(layout, elements)),
    extend: async (layout, spec) => nft.load(renderExtension(layout, spec)),
    apply: async (layout, ops) => {
      const result: ApplyResult = { failed: new Map(), kernelUs: 0, tableGone: false };
      try {
        await nft.load(renderOps(layout, ops, canUpdateTimeout));
      } catch (error) {
        if (!(await present(layout))) return { ...result, tableGone: true };
        if (ops.length === 1) result.failed.set(0, errorMessage(error));
        else await attempt(layout, ops, result, 0);
      }
      result.kernelUs = nowUs();
      return result;
    },
    lookup: async (layout, elements) => {
      const found: (KernelElement | undefined)[] = [];
      for (const element of elements) found.push(await getElement(nft, layout, element));
      return found;
    },
    counters: async (layout) => {
      const text = await nft.run(['-j', 'list', 'counters', 'table', layout.families[0] ?? 'inet', layout.table]);
      const out: Record<string, { packets: number; bytes: number }> = {};
      for (const item of parseNftJson(text)) {
        const c = item['counter'] as { name: string; packets: number; bytes: number } | undefined;
        if (c) out[c.name] = { packets: c.packets, bytes: c.bytes };
      }
      return out;
    },
    isPresent: present,
    remove: async (layout) => {
      await nft.load(
        layout.families.map((f) => `add table ${f} ${layout.table}\ndelete table ${f} ${layout.table}\n`).join(''),
      );
    },
    close: async () => {
      nft.close();
      await Promise.resolve();
    },
  };
}

/** Items of `nft -j` output. */
export function parseNftJson(text: string): Record<string, unknown>[] {
  const root = JSON.parse(text) as { nftables?: Record<string, unknown>[] };
  return root.nftables ?? [];
}

/**
 * A delete is written as add and delete: the add makes the element sure to be there, so the transaction cannot fail
 * because it is not (its timeout may end at any moment).
 */
export function renderOps(layout: Layout, ops: readonly KernelOp[], canUpdateTimeout: boolean): string {
  const lines: string[] = [];
  for (const family of layout.families) {
    for (const { kind, element, timeoutMs } of ops) {
      const set = `${family} ${layout.table} ${element.set}`;
      const key = elementKeyText(element);
      const timed = timeoutMs > 0 ? `${key} timeout ${Math.ceil(timeoutMs)}ms` : key;
      if (kind === 'delete') lines.push(`add element ${set} { ${key} }`, `delete element ${set} { ${key} }`);
      else {
        if (!canUpdateTimeout) lines.push(`add element ${set} { ${key} }`, `delete element ${set} { ${key} }`);
        lines.push(`add element ${set} { ${timed} }`);
      }
    }
  }
  return lines.join('\n') + '\n';
}

/** True when adding an element again changes its timeout; kernels before 6.12 ignore it. */
export async function probeTimeoutUpdate(nft: NftRunner, table: string): Promise<boolean> {
  const set = `inet ${table} probe`;
  await nft.load(
    `table inet ${table} {\n set probe { type ipv4_addr; flags timeout; }\n}\n` +
      `add element ${set} { 192.0.2.1 timeout 1h }\n`,
  );
  try {
    await nft.load(`add element ${set} { 192.0.2.1 timeout 2h }\n`);
    const text = await nft.run(['-j', 'list', 'set', 'inet', table, 'probe']);
    return /"timeout": ?7200\b/.test(text);
  } finally {
    await nft.load(`delete table inet ${table}\n`);
  }
}

async function getElement(nft: NftRunner, layout: Layout, element: SetElement): Promise<KernelElement | undefined> {
  const found: KernelElement[] = [];
  for (const family of layout.families) {
    try {
      const args = ['get', 'element', family, layout.table, element.set, `{ ${elementKeyText(element)} }`];
      found.push(parseElementText(await nft.run(args)));
    } catch {
      return undefined;
    }
  }
  return found[0];
}

/** `get element` prints text even when asked for JSON (nft 1.0.6). */
export function parseElementText(text: string): KernelElement {
  const element = /elements = \{([^}]*)\}/.exec(text)?.[1] ?? '';
  const number = (pattern: RegExp): number => Number(pattern.exec(element)?.[1] ?? 0);
  return {
    timeoutMs: parseNftTime(/\btimeout (\w+)/.exec(element)?.[1] ?? ''),
    expiresMs: parseNftTime(/\bexpires (\w+)/.exec(element)?.[1] ?? ''),
    packets: number(/\bpackets (\d+)/),
    bytes: number(/\bbytes (\d+)/),
  };
}

const UNIT_MS: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** nft's way of writing durations: `1d2h3m4s5ms`. */
function parseNftTime(text: string): number {
  let ms = 0;
  for (const match of text.matchAll(/(\d+)(ms|d|h|m|s)/g)) ms += Number(match[1]) * (UNIT_MS[match[2] ?? ''] ?? 0);
  return ms;
}
