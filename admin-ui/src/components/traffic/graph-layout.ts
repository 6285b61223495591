import type { HostPeer } from '@/api/types';

export interface GraphNode {
  peer: HostPeer;
  x: number;
  y: number;
  /** Width of the line to the host, by the logarithm of the bytes. */
  width: number;
  anchor: 'start' | 'end';
}

export const GRAPH = { width: 860, height: 460 } as const;
/** More lines than this say nothing any more; the table below has them all. */
export const GRAPH_PEERS = 28;
const ROW_PX = 30;
const REACH_PX = 250;

/**
 * Peers in a column on each side of the host, the busiest in the middle: own ones on the left, others on the right.
 * When there is only one kind, both sides hold it.
 */
export function layoutGraph(peers: readonly HostPeer[]): GraphNode[] {
  const shown = peers.slice(0, GRAPH_PEERS);
  const most = Math.log1p(Math.max(1, ...shown.map(bytesOf)));
  const own = shown.filter((p) => p.own);
  const others = shown.filter((p) => !p.own);
  const isMixed = own.length > 0 && others.length > 0;
  const left = isMixed ? own : shown.filter((_, i) => i % 2 === 1);
  const right = isMixed ? others : shown.filter((_, i) => i % 2 === 0);
  const place = (side: readonly HostPeer[], sign: 1 | -1): GraphNode[] => {
    const step = Math.min(ROW_PX, (GRAPH.height - 40) / Math.max(1, side.length));
    return outwards(side).map((peer, i, all) => {
      const offset = (i - (all.length - 1) / 2) * step;
      const bend = Math.sqrt(1 - (offset / GRAPH.height) ** 2);
      return {
        peer,
        x: GRAPH.width / 2 + sign * REACH_PX * bend,
        y: GRAPH.height / 2 + offset,
        width: 1 + (Math.log1p(bytesOf(peer)) / most) * 4,
        anchor: sign === 1 ? 'start' : 'end',
      };
    });
  };
  return [...place(right, 1), ...place(left, -1)];
}

const bytesOf = (peer: HostPeer): number => peer.bytesIn + peer.bytesOut;

/** Largest first becomes largest in the middle. */
function outwards<T>(items: readonly T[]): T[] {
  const result: T[] = [];
  items.forEach((item, i) => (i % 2 === 0 ? result.push(item) : result.unshift(item)));
  return result;
}
