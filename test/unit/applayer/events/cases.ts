import assert from 'node:assert/strict';
import { it } from 'node:test';
import { play, type Message } from '../bench.js';

/** A conversation and the anomalies that its transactions are to tell, in alphabetical order. */
export interface EventCase {
  name: string;
  said: readonly Message[];
  events: readonly string[];
  /** Most bytes of a piece. */
  cut?: number;
}

export interface EventSettings {
  transport?: 'tcp' | 'udp';
  ports?: [number, number];
}

/** All anomalies that the transactions of a conversation tell, each once. */
export function eventsOf(said: readonly Message[], settings: EventSettings = {}, cut?: number): string[] {
  const flow = play(said, { ...settings, ...(cut === undefined ? {} : { cut }) });
  return [...new Set(flow.transactions.flatMap((tx) => tx.events))].sort();
}

/** One test a case. */
export function testEvents(cases: readonly EventCase[], settings: EventSettings = {}): void {
  for (const { name, said, events, cut } of cases) {
    it(events.length === 0 ? `${name}: nothing to tell` : `${name}: ${events.join(', ')}`, () => {
      assert.deepEqual(eventsOf(said, settings, cut), events);
    });
  }
}
