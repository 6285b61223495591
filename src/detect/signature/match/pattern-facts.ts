import type { PatternNode } from './pattern-tree.js';

/** Repeats that may run on for longer than this count as endless. */
const LONG_REPEAT = 16;

/** May the part match the empty text? */
export function isNullable(node: PatternNode): boolean {
  switch (node.kind) {
    case 'set':
      return false;
    case 'sequence':
      return node.nodes.every(isNullable);
    case 'choice':
      return node.nodes.some(isNullable);
    case 'repeat':
      return node.min === 0 || isNullable(node.node);
    case 'group':
    case 'atomic':
      return isNullable(node.node);
    default:
      return true;
  }
}

/** Does every match begin at the beginning of the text? */
export function isAnchored(node: PatternNode): boolean {
  switch (node.kind) {
    case 'start':
      return true;
    case 'sequence':
      return node.nodes.length > 0 && isAnchored(node.nodes[0]!);
    case 'choice':
      return node.nodes.every(isAnchored);
    case 'group':
    case 'atomic':
      return isAnchored(node.node);
    default:
      return false;
  }
}

/** Is there a part of this kind anywhere? */
export function contains(node: PatternNode, wanted: (part: PatternNode) => boolean): boolean {
  return wanted(node) || parts(node).some((part) => contains(part, wanted));
}

function parts(node: PatternNode): readonly PatternNode[] {
  if ('nodes' in node) return node.nodes;
  return 'node' in node ? [node.node] : [];
}

/**
 * How many positions, from that where a text begins, are affected by where it begins: a search that found nothing in a text
 * finds nothing in the text from a later position either, but for a match that begins at one of the first so many positions of it.
 */
export function contextBytes(node: PatternNode): number {
  if (node.kind === 'look' && node.behind) return Math.max(1, longest(node.node)) + contextBytes(node.node);
  const own = node.kind === 'start' || node.kind === 'edge' || node.kind === 'inside' ? 1 : 0;
  return Math.max(own, ...parts(node).map(contextBytes));
}

/** Bytes of the longest match. */
function longest(node: PatternNode): number {
  switch (node.kind) {
    case 'set':
      return 1;
    case 'sequence':
      return node.nodes.reduce((sum, part) => sum + longest(part), 0);
    case 'choice':
      return Math.max(...node.nodes.map(longest));
    case 'repeat': {
      const once = longest(node.node);
      return once === 0 ? 0 : once * node.max;
    }
    case 'group':
    case 'atomic':
      return longest(node.node);
    case 'reference':
      return Infinity;
    default:
      return 0;
  }
}

/**
 * Is there a look at any length of text within a repeat of any length? Such a pattern may look at all of the text for each
 * byte of it without ever going back.
 */
export function looksFarAgain(node: PatternNode, isRepeated = false): boolean {
  const isFar = (part: PatternNode) => part.kind === 'reference' || (part.kind === 'repeat' && part.max > LONG_REPEAT);
  if (node.kind === 'look' && isRepeated && contains(node.node, isFar)) return true;
  return parts(node).some((part) => looksFarAgain(part, isRepeated || isFar(node)));
}
