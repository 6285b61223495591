import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { createConnection } from 'mysql2/promise';
import { openStore, type Store } from '../../../src/store/index.js';
import { repositoryCases } from '../../unit/store/repository-cases.js';
import { sampleAlert, sampleDecision } from '../../unit/store/samples.js';
import { schemaCases } from '../../unit/store/schema-cases.js';
import { upgradeCases } from '../../unit/store/upgrade-cases.js';
import { nodeArgs } from '../../support/program.js';
import { mariaDbMissing, openMariaDb, type MariaDb } from './mariadb.js';

const missing = mariaDbMissing();
/** Most that the API's tests ask of a database; with PORTCULLIS_API_ALL=1 five files of them, which takes half a minute. */
const API_TESTS = process.env['PORTCULLIS_API_ALL']
  ? ['routes', 'bulk-decisions', 'changes', 'response-requests', 'accounts']
  : ['routes', 'bulk-decisions'];

describe('MariaDB', { skip: missing ?? false }, () => {
  let mariaDb: MariaDb;
  before(async () => {
    mariaDb = await openMariaDb();
  });
  after(() => mariaDb.close());

  const optionsFor = (database: string) => ({
    kind: 'mysql' as const,
    socketPath: mariaDb.socketPath,
    database,
    user: 'root',
    password: '',
  });
  async function freshDatabase(name: string) {
    const connection = await createConnection({ socketPath: mariaDb.socketPath, user: 'root' });
    await connection.query(`DROP DATABASE IF EXISTS ${name}`);
    await connection.query(`CREATE DATABASE ${name}`);
    await connection.end();
    return optionsFor(name);
  }

  repositoryCases('MariaDB', async () => openStore({ thread: false, ...(await freshDatabase('repositories')) }));
  schemaCases('MariaDB', async () => freshDatabase('schema_check'));
  upgradeCases('MariaDB', async () => freshDatabase('upgrade_check'));

  for (const file of API_TESTS) {
    it(`gives the answers of SQLite to the API's tests (${file})`, async () => {
      // Without what makes a child of a test runner report to it in a form of its own.
      const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
      const child = spawn(process.execPath, nodeArgs(`test/unit/api/${file}.test.ts`), {
        env: { ...env, PORTCULLIS_API_STORE: mariaDb.socketPath },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
      assert.equal(code, 0, output);
      const asked = (await mariaDb.query(
        `SELECT table_schema FROM information_schema.tables WHERE table_schema LIKE 'api\\_${child.pid}\\_%'`,
      )) as unknown[];
      assert.ok(asked.length > 0, 'the control: they were asked of MariaDB');
    });
  }

  it('says what is wrong when the database, the user or the server is not there', async () => {
    const options = await freshDatabase('errors');
    await assert.rejects(openStore({ thread: false, ...options, database: 'nowhere' }), { code: 'store.denied' });
    await assert.rejects(openStore({ thread: false, ...options, user: 'stranger', password: 'x' }), {
      code: 'store.denied',
    });
    await assert.rejects(openStore({ thread: false, ...options, socketPath: '/nonexistent/mysql.sock' }), {
      kind: 'operational',
      code: 'store.unreachable',
    });
  });

  it('loses nothing that was queued when the server dies and comes back', async () => {
    const store: Store = await openStore({ thread: false, ...(await freshDatabase('crash')), batchMs: 20 });
    try {
      const decision = sampleDecision({ expiresMs: 0 });
      await store.decisions.save({ decision });
      await mariaDb.kill();
      const alerts = Array.from({ length: 120 }, () => sampleAlert());
      for (const alert of alerts) assert.equal(store.alerts.queue({ alert }), true);
      await assert.rejects(store.alerts.list({ limit: 5 }), { code: 'store.unreachable' });
      assert.equal((await store.health()).ok, false);
      await mariaDb.start();
      await store.flush();
      assert.equal((await store.alerts.getMany(alerts.map((alert) => alert.id))).length, 120);
      assert.deepEqual(await store.decisions.get(decision.id), decision);
      assert.equal(store.stats()['store_alerts_shed'], 0);
    } finally {
      await store.close();
    }
  });
});
