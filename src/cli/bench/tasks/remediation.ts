import { createServer } from 'node:http';
import { toCrowdsec } from '../../../api/index.js';
import { createRemediationFeed } from '../../../daemons/server/remediation.js';
import { uuid7 } from '../../../util/uuid7.js';
import type { Decision } from '../../../domain/decision.js';
import { answer, onCommands } from './answer.js';

interface RemediationOptions {
  port: number;
  /** How many of {@link listAddress} are in force before anybody asks. */
  count: number;
}

/** The i-th address of the list, from the range for measurements (RFC 2544). */
export function listAddress(i: number): string {
  return `198.18.${i >> 8}.${i & 255}`;
}

/**
 * Serves decisions as `/v1/decisions/stream` of the server does, to one reader without a key. Each line that comes in
 * is an address to block; answers when the list was first handed over, and when an address was decided.
 */
export function serveRemediation({ port, count }: RemediationOptions): Promise<void> {
  const feed = createRemediationFeed(Date.now);
  feed.restore(Array.from({ length: count }, (_, i) => blockOf(listAddress(i))));
  let isFirst = true;
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    if (!url.pathname.endsWith('/decisions/stream')) {
      response.writeHead(404).end();
      return;
    }
    const { added, ended } = feed.changes('bouncer', url.searchParams.get('startup') === 'true');
    const convert = (list: Decision[], isOver: boolean): object[] => list.map((d) => toCrowdsec(d, Date.now(), isOver));
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify({ new: convert(added, false), deleted: convert(ended, true) }));
    if (added.length > 0 && isFirst) {
      isFirst = false;
      answer({ servedMs: Date.now(), decisions: added.length });
    }
  });
  return new Promise((resolve) => {
    server.listen(port, '127.0.0.1', () => answer({ ready: true }));
    server.on('close', resolve);
    onCommands(
      (value) => {
        feed.changed(blockOf(value));
        answer({ decidedMs: Date.now() });
      },
      () => {
        server.closeAllConnections();
        server.close();
      },
    );
  });
}

function blockOf(value: string): Decision {
  const nowMs = Date.now();
  return {
    ...{ id: uuid7(), action: 'block', scope: 'ip', value, traffic: 'from', durationSecs: 3600, createdMs: nowMs },
    ...{ expiresMs: nowMs + 3_600_000, origin: 'policy', actor: 'bench', policy: 'bench', reason: 'bench' },
    ...{ alertIds: [], simulated: false, mode: 'enforce', step: 0, enforcement: 'applied' },
    trace: { packetUs: 0, detectedUs: 0, alertUs: 0, decidedUs: 0, receivedUs: 0, kernelUs: 0 },
  };
}
