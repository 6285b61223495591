import type { HostPeer } from '@/api/types';

export interface GraphNode {
  peer: HostPeer;
  x: number;
  y: number;
  /** Width of the line to the host, by the logarithm of the bytes. */
  width: number;
  anchor: 'start' | 'middle' | 'end';
}

export const GRAPH = { width: 860, height: 460 } as const;
/** More lines than this say nothing any more; the table below has them all. */
export const GRAPH_PEERS = 28;

/** Peers around the host: own ones on the left half, others on the right, the busiest in the middle of each half. */
export function layoutGraph(peers: readonly HostPeer[]): GraphNode[] {
  const shown = peers.slice(0, GRAPH_PEERS);
  const most = Math.log1p(Math.max(1, ...shown.map(bytesOf)));
  const place = (side: readonly HostPeer[], centre: number): GraphNode[] =>
    outwards(side).map((peer, i, all) => {
      const spread = Math.min(Math.PI * 0.86, all.length * 0.34);
      const angle = centre + (all.length === 1 ? 0 : (i / (all.length - 1) - 0.5) * spread);
      return {
        peer,
        x: GRAPH.width / 2 + Math.cos(angle) * 260,
        y: GRAPH.height / 2 + Math.sin(angle) * 200,
        width: 1 + (Math.log1p(bytesOf(peer)) / most) * 5,
        anchor: Math.abs(Math.cos(angle)) < 0.2 ? 'middle' : Math.cos(angle) > 0 ? 'start' : 'end',
      };
    });
  return [
    ...place(
      shown.filter((p) => !p.own),
      0,
    ),
    ...place(
      shown.filter((p) => p.own),
      Math.PI,
    ),
  ];
}

const bytesOf = (peer: HostPeer): number => peer.bytesIn + peer.bytesOut;

/** Largest first becomes largest in the middle. */
function outwards<T>(items: readonly T[]): T[] {
  const result: T[] = [];
  items.forEach((item, i) => (i % 2 === 0 ? result.push(item) : result.unshift(item)));
  return result;
}
