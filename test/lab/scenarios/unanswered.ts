import { setTimeout as delay } from 'node:timers/promises';
import { ipBatch } from '../netns.js';
import type { Scenario, ScenarioContext } from '../scenario.js';
import { VICTIM_ADDRESSES } from '../topology.js';

/** Switched-off hosts of the server network: the router drops what is for them, as a filter does. */
const GONE_NETWORK = '10.77.128.64/26';
const GONE_INSIDE = hosts('10.77.128', 65, 126);
/** Networks that nobody answers for (RFC 2544): the switch swallows them. */
const GONE_OUTSIDE = hosts('198.18.7', 1, 254);

function hosts(network: string, first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, i) => `${network}.${first + i}`);
}

/** Addresses that were not there before, in an order that the seed decides; the roles have a network each. */
function join(context: ScenarioContext, side: 'outside' | 'inside'): string[] {
  const isTraining = context.role === 'train';
  const fresh =
    side === 'outside'
      ? hosts(isTraining ? '10.77.21' : '10.77.22', 10, 249)
      : hosts('10.77.128', ...((isTraining ? [130, 179] : [180, 229]) as [number, number]));
  const [host, prefix] = side === 'outside' ? (['client', 17] as const) : (['victim', 24] as const);
  ipBatch(
    fresh.map((ip) => `address add ${ip}/${prefix} dev eth0`),
    context.lab.hosts[host].netns,
  );
  return context.random.sample(fresh, fresh.length);
}

function drop(context: ScenarioContext, network: string): void {
  ipBatch([`route add blackhole ${network}`], context.lab.hosts.router.netns);
}

async function come(context: ScenarioContext, side: 'outside' | 'inside', settings: object): Promise<void> {
  const sources = join(context, side);
  const facts = { label: 'benign', malicious: false, sources, targets: [] };
  const target = side === 'outside' ? context.victim.ip4 : context.lab.hosts.client.ip4;
  await context.traffic(facts, side === 'outside' ? 'client' : 'victim', 'newcomers', { sources, target, ...settings });
}

/** A laptop that looks for a printer at home, a resolver that died, a probe of a server that is down, clocks without NTP. */
const gone: Scenario = {
  name: 'gone-hosts',
  summary:
    'one newcomer every few seconds asks, by TCP, UDP or ping, a host that is switched off; one in four is refused',
  kind: 'benign',
  services: [],
  run: async (context) => {
    drop(context, GONE_NETWORK);
    const everyMs = context.at({ slow: 6000, normal: 2500, fast: 1300 });
    const settings = { goneShare: 0.75, everyMs, webOnly: false };
    await Promise.all([
      come(context, 'outside', { ...settings, gone: GONE_INSIDE }),
      come(context, 'inside', { ...settings, gone: GONE_OUTSIDE }),
    ]);
  },
};

/** A busy network: most newcomers are served, some ask in vain. */
const crowd: Scenario = {
  name: 'newcomers',
  summary: 'a crowd of new addresses uses a web server; one in six asks hosts that are switched off',
  kind: 'benign',
  services: ['web'],
  run: async (context) => {
    drop(context, GONE_NETWORK);
    const everyMs = context.at({ slow: 400, normal: 150, fast: 60 });
    await come(context, 'outside', { goneShare: 0.17, everyMs, webOnly: false, gone: GONE_INSIDE });
  },
};

/** A web server fails while people use it: they try again, and new ones come. */
const down: Scenario = {
  name: 'server-down',
  summary: 'a web server stops to answer at a third of the time; its users try again, newcomers try in vain',
  kind: 'benign',
  services: ['web'],
  run: async (context) => {
    const everyMs = context.at({ slow: 1500, normal: 700, fast: 350 });
    const users = come(context, 'outside', { goneShare: 0, everyMs, webOnly: true, gone: [VICTIM_ADDRESSES[0]] });
    await delay((context.seconds * 1000) / 3);
    drop(context, `${context.victim.ip4}/32`);
    await users;
  },
};

/** Questions that nobody answers, and nobody is to blame. */
export const unanswered: readonly Scenario[] = [gone, crowd, down];
