import { createInterface } from 'node:readline';
import type { Decision } from '../../../src/domain/decision.js';
import { createResponder, enforceOptionsSchema } from '../../../src/enforce/index.js';

/** A responder in a process of its own, so that it can be killed: arguments namespace and state folder. */
const [, , netns = '', stateDir = ''] = process.argv;
const options = enforceOptionsSchema.parse({ backend: 'nftables', log_blocked: false, state_dir: stateDir });
const say = (message: object): void => void process.stdout.write(`${JSON.stringify(message)}\n`);

const responder = createResponder(
  options,
  { netns },
  {
    report: (reports) => reports.forEach((r) => say({ report: r })),
    state: () => undefined,
    hits: () => undefined,
    incident: (incident) => say({ incident }),
  },
);
await responder.start();
say({ started: true });
createInterface({ input: process.stdin }).on('line', (line) => {
  const message = JSON.parse(line) as { decide?: Decision; release?: string; sync?: Decision[] };
  if (message.decide) responder.decide(message.decide);
  if (message.release !== undefined) responder.release(message.release, 'test');
  if (message.sync)
    void responder
      .sync(message.sync)
      .then(async () => responder.idle())
      .then(() => say({ synced: true }));
});
