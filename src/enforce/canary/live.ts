import { maskIp, parseIp } from '../../util/ip.js';
import type { Core } from '../core.js';
import type { SetElement } from '../element.js';
import type { ElementOp } from '../ledger.js';
import { NoRouteError, openProbe } from './probe.js';
import { CanaryRun, type CanaryResult } from './step.js';

/** Documentation addresses (RFC 5737): no host has them. */
const ADDRESSES = ['203.0.113.254', '198.51.100.254', '192.0.2.254'];
const PORT = 9;
const HOLDER = 'canary';

/**
 * The live table: a documentation address goes into the set of blocked destinations, a datagram of the box to it must
 * be refused by the kernel and counted by the element, and the element must be gone afterwards. No packet leaves.
 */
export async function runLiveCanary(core: Core, netns?: string): Promise<CanaryResult> {
  const run = new CanaryRun();
  const ip = parseIp(ADDRESSES.find((a) => !core.ledger.has(`out4_32 ${a}`)) ?? ADDRESSES[0]!)!;
  const element: SetElement = { set: 'out4_32', ip: maskIp(ip, 32) };
  const address = ADDRESSES.find((a) => parseIp(a)!.words[3] === ip.words[3])!;
  const submit = (ops: readonly ElementOp[]): Promise<string> =>
    new Promise((resolve, reject) => {
      core.pump.submit({
        ops,
        urgent: true,
        done: (error) => (error === undefined ? resolve(`${element.set} acknowledged`) : reject(new Error(error))),
      });
    });
  const lookup = async () => (await core.pump.run(() => core.backend.lookup(core.layout, [element])))[0];
  try {
    await run.step('a documentation address becomes a kernel element', () =>
      submit(core.ledger.hold(HOLDER, [element], core.clock.monoMs() + 60_000)),
    );
    await run.step('the kernel refuses a datagram to it, and counts it', async () => {
      const probe = openProbe(undefined, netns);
      try {
        if (probe.send(address, PORT)) throw new Error(`a datagram to ${address} was let through`);
      } finally {
        probe.close();
      }
      const state = await lookup();
      if ((state?.packets ?? 0) === 0) throw new Error('the datagram was refused, but not by our element');
      return `${state?.packets ?? 0} packet dropped`;
    });
  } finally {
    const ops = core.ledger.drop(HOLDER);
    await run.step('the block is lifted', () => submit(ops));
    if (!run.ok && ops.length > 0) await submit(ops).catch(() => undefined);
  }
  await run.step('the element is gone', async () => {
    if (await lookup()) throw new Error('the element is still in the kernel');
    return 'not in the kernel';
  });
  const result: CanaryResult = { ok: run.ok, place: 'live', steps: run.steps };
  return run.error instanceof NoRouteError ? { ...result, unprovable: run.error.message } : result;
}
