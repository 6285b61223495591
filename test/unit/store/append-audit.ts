import { openStore } from '../../../src/store/index.js';

/** Second process of a test: `append-audit.ts FILE COUNT` says that it is ready and appends audit entries. */
const [path = '', count = '0'] = process.argv.slice(2);
const store = await openStore({ thread: false, path });
process.stdout.write('ready\n');
for (let i = 0; i < Number(count); i++) {
  await store.audit.append({ actor: 'command', address: '', action: 'x', object: String(i), outcome: 'success' });
}
await store.close();
