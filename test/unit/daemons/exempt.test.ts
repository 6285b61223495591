import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadConfig } from '../../../src/config/index.js';
import { openExempt } from '../../../src/daemons/server/exempt.js';
import { createPeerBook, wantedPeers, type ConsoleSession } from '../../../src/daemons/server/peers.js';
import type { Outlets } from '../../../src/daemons/server/outlets.js';
import type { AllowEntry, ProtectedEntry } from '../../../src/domain/decision.js';
import type { Store } from '../../../src/store/index.js';
import type { Logger } from '../../../src/util/logger.js';

const quiet = { debug() {}, info() {}, warn() {}, error() {} } as unknown as Logger;
const entry = (id: string, value: string): AllowEntry => ({
  id,
  value,
  owner: 'ops',
  comment: '',
  createdMs: 0,
  expiresMs: 0,
});

it('tells responders the addresses of allowed names, which their sandbox may not be able to look up', async () => {
  let allowed = [entry('1', 'localhost'), entry('2', '192.0.2.7')];
  const told: string[][] = [];
  let onTold = (): void => undefined;
  const store = {
    settings: { get: () => Promise.resolve(undefined), set: () => Promise.resolve() },
    allowlist: { active: () => Promise.resolve(allowed) },
    sessions: { list: () => Promise.resolve({ items: [], nextCursor: null }) },
  } as unknown as Store;
  const outlets = {
    toResponders(command: { type: string; entries: AllowEntry[] }) {
      if (command.type === 'allow') told.push(command.entries.map((e) => e.value));
      onTold();
    },
  } as unknown as Outlets;
  const resolved = new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error('never told'));
    }, 60_000);
    onTold = () => {
      if (!told.at(-1)?.some((value) => value === '127.0.0.1' || value === '::1')) return;
      clearTimeout(timer);
      resolve();
    };
  });
  const exempt = await openExempt(await loadConfig(), { store, outlets, log: quiet });
  try {
    await resolved;
    const now = exempt.allowed().map((e) => e.value);
    assert.ok(now.includes('localhost') && now.includes('192.0.2.7'));
    assert.ok(now.includes('127.0.0.1') || now.includes('::1'));
    assert.equal(new Set(now).size, now.length, 'each once');
    allowed = [entry('2', '192.0.2.7')];
    await exempt.refresh();
    assert.deepEqual(told.at(-1), ['192.0.2.7'], 'the addresses go with the name');
  } finally {
    exempt.close();
  }
});

describe('people at the console', () => {
  const later = Date.now() + 3_600_000;
  async function open(sessions: ConsoleSession[], beforeList: () => void = () => undefined) {
    const told: ProtectedEntry[][] = [];
    const store = {
      settings: { get: () => Promise.resolve(undefined), set: () => Promise.resolve() },
      allowlist: { active: () => Promise.resolve([]) },
      sessions: {
        async list() {
          const items = [...sessions];
          await Promise.resolve();
          beforeList();
          return { items, nextCursor: null };
        },
      },
    } as unknown as Store;
    const outlets = {
      toResponders(command: { type: string; entries: ProtectedEntry[] }) {
        if (command.type === 'protect') told.push(command.entries);
      },
    } as unknown as Outlets;
    const exempt = await openExempt(await loadConfig(), { store, outlets, log: quiet });
    const protectedNow = (): string[] => exempt.peers().map(({ value }) => value);
    return { exempt, told, protectedNow };
  }

  it('are protected after a restart of the server too', async () => {
    const { exempt, protectedNow } = await open([{ user: 'ann', address: '203.0.113.7', expiresMs: later }]);
    assert.deepEqual(protectedNow(), ['203.0.113.7']);
    exempt.close();
  });

  it('are not protected any more when their session was ended, so that a thief can be blocked', async () => {
    const sessions = [
      { user: 'ann', address: '203.0.113.7', expiresMs: later },
      { user: 'ann', address: '198.51.100.9', expiresMs: later },
    ];
    const { exempt, told, protectedNow } = await open(sessions);
    assert.equal(protectedNow().length, 2);
    sessions.pop();
    exempt.sessionsEnded();
    while (protectedNow().length > 1) await new Promise(setImmediate);
    assert.deepEqual(protectedNow(), ['203.0.113.7']);
    assert.deepEqual(told.at(-1)?.map(({ value }) => value), ['203.0.113.7'], 'responders know'); // prettier-ignore
    exempt.close();
  });

  it('who log in while the list is read are not overlooked', async () => {
    const sessions: ConsoleSession[] = [];
    let isFirst = true;
    const { exempt, protectedNow } = await open(sessions);
    const late = { user: 'ben', address: '203.0.113.8', expiresMs: later };
    const raced = await open(sessions, () => {
      if (!isFirst) return;
      isFirst = false;
      sessions.push(late);
    });
    raced.exempt.addSession(late);
    await raced.exempt.refresh();
    assert.deepEqual(raced.protectedNow(), ['203.0.113.8']);
    assert.deepEqual(protectedNow(), []);
    exempt.close();
    raced.exempt.close();
  });
});

describe('peers of the box', () => {
  it('are the receivers, the senders and every host of the database', async () => {
    const config = await loadConfig();
    const wanted = wantedPeers({
      ...config,
      store: {
        ...config.store,
        kind: 'mysql',
        host: '10.0.0.1',
        failoverHosts: ['db2.example.net:3307', '[2001:db8::3]'],
      },
    });
    assert.deepEqual(
      wanted.map(({ host, reason, detail }) => [host, reason, detail]),
      [
        ['10.0.0.1', 'database', 'store.host'],
        ['db2.example.net', 'database', 'store.failover_hosts'],
        ['2001:db8::3', 'database', 'store.failover_hosts'],
      ],
    );
  });

  it('with names are protected when these resolve at last, and stay so when they move or DNS is lost', async () => {
    let answer: string[] | undefined;
    let asked = 0;
    const resolve = (): Promise<string[]> => {
      asked++;
      return answer ? Promise.resolve(answer) : Promise.reject(new Error('no resolver'));
    };
    const book = createPeerBook({ log: quiet, changed: () => undefined, resolve });
    const siem = { host: 'SIEM.example.net', reason: 'siem' as const, detail: 'destination soc' };
    const values = (): string[] => book.entries().map(({ value }) => value);
    const follow = async (): Promise<void> => {
      const before = asked;
      book.follow([siem, { ...siem, host: '192.0.2.9' }]);
      while (asked === before) await new Promise(setImmediate);
      await new Promise(setImmediate);
    };
    await follow();
    assert.deepEqual(values(), ['192.0.2.9'], 'an address needs no resolver');
    answer = ['192.0.2.50'];
    await follow();
    assert.deepEqual(values().sort(), ['192.0.2.50', '192.0.2.9']);
    answer = ['192.0.2.51'];
    await follow();
    assert.deepEqual(values().sort(), ['192.0.2.50', '192.0.2.51', '192.0.2.9']);
    answer = undefined;
    await follow();
    assert.equal(values().length, 3);
    const next = createPeerBook({ log: quiet, changed: () => undefined, resolve, seed: book.known() });
    next.follow([siem]);
    assert.deepEqual(next.entries().map(({ value }) => value).sort(), ['192.0.2.50', '192.0.2.51'], 'after a start without DNS'); // prettier-ignore
    book.close();
    next.close();
  });
});
