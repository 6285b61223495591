import type { SetElement } from '../element.js';
import type { Layout, SetSpec } from '../layout.js';
import type { TimedElement } from '../ruleset.js';

/** One change of one element; the deadline is already a timeout. */
export interface KernelOp {
  kind: 'add' | 'update' | 'delete';
  element: SetElement;
  /** Milliseconds; 0 = no timeout. */
  timeoutMs: number;
}

/** What a transaction did. Deleting an element that is not there counts as done. */
export interface ApplyResult {
  /** Operations (by index) that the kernel refused, with its reason; all others are in force. */
  failed: Map<number, string>;
  /** Microseconds since the epoch at which the kernel acknowledged. */
  kernelUs: number;
  /** The table or a set is missing: the caller must replace the ruleset. Nothing was applied. */
  tableGone: boolean;
}

/** An element as the kernel holds it. */
export interface KernelElement {
  /** Milliseconds; 0 = none. */
  timeoutMs: number;
  expiresMs: number;
  packets: number;
  bytes: number;
}

/** A change of our table made by another program. */
export interface ForeignChange {
  kind: 'structure' | 'element' | 'overrun';
  text: string;
  /** Elements that were added or deleted. */
  elements?: SetElement[];
}

/** Carries elements into the kernel, or counts as if it did. Calls are made one after the other. */
export interface EnforceBackend {
  readonly name: 'netlink' | 'nft' | 'dry-run';
  /** Takes what it needs and finds out what the kernel can do. */
  open(layout: Layout): Promise<void>;
  /** Replaces the whole table with these elements in one transaction. */
  replace(layout: Layout, elements: Iterable<TimedElement>): Promise<void>;
  /** Adds an exempting set with its rules. */
  extend(layout: Layout, spec: SetSpec): Promise<void>;
  /** One transaction; single operations that the kernel refuses do not take the others down. */
  apply(layout: Layout, ops: readonly KernelOp[]): Promise<ApplyResult>;
  /** Looks single elements up without reading their set. */
  lookup(layout: Layout, elements: readonly SetElement[]): Promise<(KernelElement | undefined)[]>;
  /** Packets and bytes of the table's named counters. */
  counters(layout: Layout): Promise<Record<string, { packets: number; bytes: number }>>;
  /** Changes by others since the last call; undefined when this backend cannot see them. */
  foreignChanges?(layout: Layout): ForeignChange[];
  /** True when the table is there with our chains. */
  isPresent(layout: Layout): Promise<boolean>;
  /** Deletes the table. */
  remove(layout: Layout): Promise<void>;
  close(): Promise<void>;
}
