import type { AppFlow, FlowEnds } from './app-flow.js';
import { DetectedFlow } from './detected-flow.js';
import { createExpectations } from './expectations.js';
import { createFtpDataParser } from './ftp/parser.js';
import { appLayerOptions, type AppLayerInput } from './options.js';

export interface AppLayer {
  /** @param transport IP protocol number: TCP flows get their bytes from reassembly, UDP flows one call a datagram. */
  createFlow(transport: 'tcp' | 'udp', ports: { srcPort: number; dstPort: number }, ends?: FlowEnds): AppFlow;
  stats(): Record<string, number>;
}

const UNKNOWN_ENDS: FlowEnds = { src: () => '', dst: () => '' };

export function createAppLayer(input: AppLayerInput = {}): AppLayer {
  const options = appLayerOptions.parse(input);
  const expectations = createExpectations(options.maxExpected);
  const counts: Record<string, number> = { flows: 0, flows_unknown: 0, flows_failed: 0 };
  const count = (name: string): void => {
    counts[name] = (counts[name] ?? 0) + 1;
  };
  return {
    createFlow(transport, ports, ends = UNKNOWN_ENDS) {
      count('flows');
      const flow = new DetectedFlow(options, { transport, ports, ends, expectations, count });
      if (transport !== 'tcp' || expectations.size === 0) return flow;
      const expected = expectations.take(ends.dst(), ports.dstPort);
      if (expected) flow.take(createFtpDataParser(options, expected.transfer));
      return flow;
    },
    stats: () => Object.fromEntries(Object.entries(counts).map(([name, n]) => [`applayer_${name}`, n])),
  };
}
