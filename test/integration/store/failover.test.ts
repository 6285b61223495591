import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import test, { after, before } from 'node:test';
import { createConnection } from 'mysql2/promise';
import { openStore, type Store } from '../../../src/store/index.js';
import { sampleAlert } from '../../unit/store/samples.js';
import { waitFor } from '../../lab/wait.js';
import { mariaDbMissing, openMariaDb, type MariaDb } from './mariadb.js';

const missing = mariaDbMissing();

/** A host name of the database: TCP in front of the server's socket, that can vanish or hang. */
class Host {
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  hangs = false;
  /** Connections that came so far. */
  callers = 0;

  private constructor(server: Server) {
    this.server = server;
  }

  static async open(socketPath: string): Promise<Host> {
    const server = createServer();
    const host = new Host(server);
    server.on('connection', (caller) => {
      host.callers++;
      host.sockets.add(caller);
      caller.on('error', () => undefined).on('close', () => host.sockets.delete(caller));
      const target = connect(socketPath).on('error', () => caller.destroy());
      caller.on('data', (chunk) => host.hangs || target.write(chunk));
      target.on('data', (chunk) => host.hangs || caller.write(chunk));
      target.on('close', () => caller.destroy());
      caller.on('close', () => target.destroy());
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return host;
  }

  get name(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }
}

let mariaDb: MariaDb;
const hosts: Host[] = [];
before(async () => {
  if (missing === undefined) mariaDb = await openMariaDb();
});
after(async () => {
  hosts.forEach((host) => host.close());
  await mariaDb?.close();
});

async function openOn(database: string, count: number): Promise<{ store: Store; hosts: Host[] }> {
  await mariaDb.query(`CREATE DATABASE ${database}`);
  const list = await Promise.all(Array.from({ length: count }, () => Host.open(mariaDb.socketPath)));
  hosts.push(...list);
  const [first = '', ...failoverHosts] = list.map((host) => host.name);
  const store = await openStore({
    thread: false,
    ...{ kind: 'mysql', host: first, failoverHosts, database, user: 'root', batchMs: 20, silenceSecs: 2 },
  });
  return { store, hosts: list };
}

/** Tries may meet the dead host: the queue keeps the rows and tries again, and so does who reads. */
async function writtenTo(next: Host, store: Store, ids: string[]): Promise<void> {
  assert.equal(next.callers, 0, 'the control: nobody has gone to the next host before');
  const rows = await waitFor(
    'everything is written',
    async () => {
      try {
        await store.flush();
        const found = await store.alerts.getMany(ids);
        return found.length === ids.length ? found : undefined;
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'store.unreachable');
        return undefined;
      }
    },
    { everyMs: 50 },
  );
  assert.equal(new Set(rows.map((row) => row.id)).size, ids.length);
  assert.ok(next.callers > 0, 'it is the next host that was asked');
}

test('when the first host is gone, what is queued goes to the next one', { skip: missing ?? false }, async () => {
  const { store, hosts: list } = await openOn('failover', 2);
  const alerts = Array.from({ length: 60 }, () => sampleAlert());
  alerts.slice(0, 30).forEach((alert) => store.alerts.queue({ alert }));
  await store.flush();
  list[0]!.close();
  alerts.slice(30).forEach((alert) => store.alerts.queue({ alert }));
  await writtenTo(
    list[1]!,
    store,
    alerts.map((a) => a.id),
  );
  await store.close();
});

test('a server that hangs is given up, and nothing is lost', { skip: missing ?? false }, async () => {
  const { store, hosts: list } = await openOn('hang', 2);
  const alerts = Array.from({ length: 20 }, () => sampleAlert());
  list[0]!.hangs = true;
  alerts.forEach((alert) => store.alerts.queue({ alert }));
  await writtenTo(
    list[1]!,
    store,
    alerts.map((a) => a.id),
  );
  await store.close();
});

test('two servers that start on an empty database at once make it once', { skip: missing ?? false }, async () => {
  await mariaDb.query('CREATE DATABASE pair');
  const options = { kind: 'mysql' as const, socketPath: mariaDb.socketPath, database: 'pair', user: 'root' };
  const stores = await Promise.all([openStore({ thread: false, ...options }), openStore(options)]);
  assert.ok((await Promise.all(stores.map((store) => store.health()))).every((h) => h.ok));
  await Promise.all(stores.map((store) => store.close()));
});

test('a transaction that is the victim of a deadlock is done again', { skip: missing ?? false }, async () => {
  await mariaDb.query('CREATE DATABASE locks');
  const options = { kind: 'mysql' as const, socketPath: mariaDb.socketPath, database: 'locks', user: 'root' };
  const store = await openStore({ thread: false, ...options });
  const alerts = Array.from({ length: 40 }, () => sampleAlert());
  alerts.forEach((alert) => store.alerts.queue({ alert }));
  await store.flush();
  const ids = alerts.map((a) => a.id).sort();
  // From whichever end ours begins, it has some when it comes to the middle.
  const middle = ids.slice(10, 30);
  const ends = [...ids.slice(0, 10), ...ids.slice(30)];
  const before = await deadlocks();
  const rival = await createConnection({ socketPath: mariaDb.socketPath, user: 'root', database: 'locks' });
  // The one that has changed more is spared: ours is the victim.
  // Rows that it looks at and does not change are not kept locked.
  await rival.query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED');
  await rival.query('START TRANSACTION');
  await rival.query('UPDATE alerts SET label_verdict = ? WHERE id IN (?)', ['benign', middle]);
  const archived = store.alerts.setState(ids, 'archived');
  // InnoDB answers from a cache that it renews only when nobody has read it for 100 ms.
  await waitFor(
    'ours waits for the rival',
    async () => {
      const rows = (await mariaDb.query('SELECT 1 FROM information_schema.innodb_lock_waits')) as unknown[];
      return rows.length > 0;
    },
    { everyMs: 250 },
  );
  await rival.query('UPDATE alerts SET label_verdict = ? WHERE id IN (?)', ['benign', ends]);
  await rival.query('COMMIT');
  await rival.end();
  assert.equal(await archived, 40);
  assert.ok((await deadlocks()) > before, 'the control: there was a deadlock');
  await store.close();
});

/** Transactions that the database server has given up because of another, since it started. */
async function deadlocks(): Promise<number> {
  const rows = (await mariaDb.query(
    "SELECT COUNT AS n FROM information_schema.innodb_metrics WHERE name = 'lock_deadlocks'",
  )) as { n: number }[];
  return Number(rows[0]?.n);
}
