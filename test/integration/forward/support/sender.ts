import { openForwarder } from '../../../../src/forward/index.js';
import { numberedAlert, testDeps, testOptions } from './events.js';

/**
 * A process to be killed: pushes numbered events into a forwarder and says on stdout how many are in the spool's file
 * for sure. Arguments: data directory, port of the receiver, first number, last number.
 */
const [dataDir, port, first, last] = process.argv.slice(2) as [string, string, string, string];
const options = testOptions([
  { name: 'a', preset: 'rsyslog', transport: { host: '127.0.0.1', port: Number(port), rotate_secs: 0.3 } },
]);
const forwarder = await openForwarder(options, testDeps(dataDir));
let n = Number(first);
while (n < Number(last)) {
  for (let i = 0; i < 20 && n < Number(last); i++) forwarder.push(numberedAlert(n++));
  await new Promise((resolve) => setTimeout(resolve, 5));
  if (forwarder.stats().spoolPending === 0) process.stdout.write(`durable ${n}\n`);
}
while (forwarder.stats().spoolPending > 0) await new Promise((resolve) => setTimeout(resolve, 5));
process.stdout.write(`durable ${n}\n`);
await forwarder.close(20_000);
process.stdout.write('closed\n');
