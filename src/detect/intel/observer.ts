import { PROGRESS_DONE, type AppTransaction, type AppWatcher } from '../../domain/app-layer.js';
import { TCP_STATE, type FlowColumns } from '../../domain/flow.js';
import { PROTO, type DecodedPacket } from '../../domain/packet.js';
import type { PacketObserver } from '../../domain/stage.js';
import { addressOf, toDetection, type IntelDeps, type Match } from './finding.js';
import { normalizeDomain, urlKey } from './normalize.js';
import type { IntelOptions } from './options.js';
import { emptyTable } from './table-builder.js';
import type { IndicatorTable } from './table.js';

/** Matches traffic with the indicators in use: addresses of new flows, names, URLs and TLS fingerprints of transactions. */
export interface Intel {
  /** Looks at addresses only: two look-ups for a new flow, none for other packets. */
  observer: PacketObserver;
  /** Looks at what protocol parsers found. */
  watcher: AppWatcher;
  setTable(table: IndicatorTable): void;
}

/** Matches remembered so that they are not reported again at once. */
const MAX_REMEMBERED = 20_000;
const SOURCE = 1;
const DESTINATION = 2;

/** Parts of a transaction that were looked at. */
const PART = { NAME: 1, URL: 2, JA3: 4, JA4: 8 } as const;
const PARTS: Partial<Record<AppTransaction['proto'], number>> = {
  dns: PART.NAME,
  // A resolver may listen at its port, too.
  mdns: PART.NAME,
  http: PART.NAME | PART.URL,
  tls: PART.NAME | PART.JA3 | PART.JA4,
};

interface Seen {
  id: number;
  parts: number;
}

export function createIntel(options: IntelOptions, deps: IntelDeps): Intel {
  let table = emptyTable();
  /** Ends of the flow in a slot that are listed and have not proved their address yet. */
  let unproven = new Uint8Array(1024);
  let waiting = 0;
  const seen: (Seen | undefined)[] = [];
  const reportedUs = new Map<string, number>();
  const counts = { lookups: 0, matches: 0, repeated: 0 };
  const realertUs = options.realertSecs * 1e6;

  function report(match: Match, flows: FlowColumns, slot: number, packetUs: number): void {
    const inside = addressOf(flows, slot, match.offender === 'source' ? 'dst' : 'src');
    const key = `${match.type} ${match.value} ${inside} ${match.spoofable}`;
    counts.matches++;
    if (packetUs - (reportedUs.get(key) ?? -Infinity) < realertUs) {
      counts.repeated++;
      return;
    }
    reportedUs.delete(key);
    if (reportedUs.size >= MAX_REMEMBERED) reportedUs.delete(reportedUs.keys().next().value!);
    reportedUs.set(key, packetUs);
    deps.emit(toDetection(match, flows, slot, packetUs, deps));
  }

  function findEnd(flows: FlowColumns, slot: number, end: 'src' | 'dst'): number {
    const words = end === 'src' ? flows.srcAddr : flows.dstAddr;
    const at = 4 * slot;
    return table.findAddress(flows.ipVersion[slot]!, words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!);
  }

  function reportEnd(
    flows: FlowColumns,
    slot: number,
    end: 'src' | 'dst',
    spoofable: boolean,
    packetUs: number,
  ): boolean {
    const found = findEnd(flows, slot, end);
    const entry = found < 0 ? undefined : table.entry(found, packetUs / 1e6);
    if (!entry) return false;
    const value = addressOf(flows, slot, end);
    const from = end === 'src' ? 'from' : 'to';
    const title = `Connection ${from} an address that threat intelligence lists`;
    const offender = end === 'src' ? 'source' : 'destination';
    report({ type: 'ip', value, offender, title, entry, spoofable }, flows, slot, packetUs);
    return true;
  }

  function open(packet: DecodedPacket, flows: FlowColumns, slot: number): void {
    counts.lookups += 2;
    if (slot >= unproven.length) {
      const larger = new Uint8Array(Math.max(slot + 1, unproven.length * 2));
      larger.set(unproven);
      unproven = larger;
    }
    const proved = isProved(packet, flows, slot);
    let ends = 0;
    if (reportEnd(flows, slot, 'src', !proved, packet.tsUs)) ends |= SOURCE;
    if (reportEnd(flows, slot, 'dst', !proved, packet.tsUs)) ends |= DESTINATION;
    if (unproven[slot] !== 0) waiting--;
    unproven[slot] = proved ? 0 : ends;
    if (unproven[slot] !== 0) waiting++;
  }

  function prove(packet: DecodedPacket, flows: FlowColumns, slot: number): void {
    if (!isProved(packet, flows, slot)) return;
    const ends = unproven[slot]!;
    unproven[slot] = 0;
    waiting--;
    if (ends & SOURCE) reportEnd(flows, slot, 'src', false, packet.tsUs);
    if (ends & DESTINATION) reportEnd(flows, slot, 'dst', false, packet.tsUs);
  }

  function look(tx: AppTransaction, parts: number, packet: DecodedPacket, flows: FlowColumns, slot: number): number {
    let done = 0;
    const find = (match: Omit<Match, 'entry' | 'spoofable' | 'appProto'>, found: number): void => {
      const entry = found < 0 ? undefined : table.entry(found, packet.tsUs / 1e6);
      if (!entry) return;
      report({ ...match, entry, spoofable: false, appProto: tx.proto }, flows, slot, packet.tsUs);
    };
    if (parts & PART.NAME) {
      const names = namesOf(tx);
      if (names.length > 0) done |= PART.NAME;
      for (const value of names) {
        counts.lookups++;
        // The server of a DNS question is a resolver, which is not to blame; the client is not to be blocked for asking.
        const about =
          tx.proto === 'dns' || tx.proto === 'mdns'
            ? ({
                offender: 'source',
                noBlock: true,
                title: 'Look-up of a name that threat intelligence lists',
              } as const)
            : ({ offender: 'destination', title: 'Connection to a name that threat intelligence lists' } as const);
        find({ type: 'domain', value, ...about }, table.findDomain(value));
      }
    }
    if (parts & PART.URL) {
      const host = text(tx.buffer('http.host', 0));
      const target = text(tx.buffer('http.uri.raw', 0)) ?? text(tx.buffer('http.uri', 0));
      if (host !== undefined && target !== undefined) {
        done |= PART.URL;
        counts.lookups++;
        const value = urlKey(host, target);
        const title = 'Request of a URL that threat intelligence lists';
        find({ type: 'url', value, offender: 'destination', title }, table.findText('url', value));
      }
    }
    for (const type of ['ja3', 'ja4'] as const) {
      const part = type === 'ja3' ? PART.JA3 : PART.JA4;
      const value = parts & part ? text(tx.buffer(`${type}.hash`, 0)) : undefined;
      if (value === undefined) continue;
      done |= part;
      counts.lookups++;
      const title = 'TLS client with a fingerprint that threat intelligence lists';
      find({ type, value, offender: 'source', title }, table.findText(type, value));
    }
    return done;
  }

  return {
    observer: {
      onPacket(packet, flows, slot, _direction, isNew) {
        if (slot < 0 || table.count === 0) return;
        if (isNew) open(packet, flows, slot);
        else if (waiting > 0 && unproven[slot]) prove(packet, flows, slot);
      },
      onFlowEnd(_flows, slot, reason) {
        if (reason === 'active') return;
        if (unproven[slot]) {
          unproven[slot] = 0;
          waiting--;
        }
        seen[slot] = undefined;
      },
      stats: () => ({
        intel_indicators: table.count,
        intel_lookups: counts.lookups,
        intel_matches: counts.matches,
        intel_matches_repeated: counts.repeated,
      }),
    },
    watcher: {
      onTransactions(transactions, packet, flows, slot) {
        if (!table.hasNames) return;
        for (const tx of transactions) {
          const all = PARTS[tx.proto] ?? 0;
          const last = seen[slot];
          if (all === 0 || (last && (last.id > tx.id || (last.id === tx.id && last.parts === all)))) continue;
          const parts = last?.id === tx.id ? last.parts : 0;
          const found = parts | look(tx, all & ~parts, packet, flows, slot);
          // Nothing more comes from a side that is complete.
          seen[slot] = { id: tx.id, parts: tx.progress[0] === PROGRESS_DONE ? all : found };
        }
      },
    },
    setTable(next) {
      table = next;
    },
  };
}

/** Both ends have shown that they own their addresses: what was sent to them came back. */
function isProved(packet: DecodedPacket, flows: FlowColumns, slot: number): boolean {
  if (packet.proto === PROTO.TCP) return flows.tcpState[slot] === TCP_STATE.ESTABLISHED;
  return flows.packetsFwd[slot]! > 1 && flows.packetsBwd[slot]! > 0;
}

function namesOf(tx: AppTransaction): string[] {
  const field = { dns: 'dns.query', mdns: 'dns.query', tls: 'tls.sni', http: 'http.host' }[tx.proto as string];
  const value = field === undefined ? undefined : tx.buffer(field, 0);
  if (value === undefined) return [];
  return (value instanceof Uint8Array ? [value] : value).flatMap((bytes) => {
    const name = normalizeDomain(Buffer.from(bytes).toString('latin1').replace(/:\d+$/, ''));
    return 'rejected' in name ? [] : [name.value];
  });
}

function text(value: ReturnType<AppTransaction['buffer']>): string | undefined {
  const bytes = value instanceof Uint8Array ? value : value?.[0];
  return bytes === undefined ? undefined : Buffer.from(bytes).toString('latin1');
}
