// Shows what Portcullis does about a port scan, in the lab, with the time of every step. Ends with 1 when a step fails.
import type { Decision } from '../../src/domain/decision.js';
import { Box } from './box/box.js';
import { siemLine } from './box/cef.js';
import { connects, isShut, kernelElement } from './box/kernel.js';
import { SshSession } from './box/ssh-session.js';
import { openLab, type Lab } from './lab.js';
import { CLIENT_ADDRESSES, ADDRESS } from './topology.js';
import { waitFor } from './wait.js';

const BLOCK_SECS = 10;
const ATTACKER = ADDRESS.attacker.ip4;
const CLIENT = CLIENT_ADDRESSES[0] ?? '';
const POLICY = `
format: 1
name: scan
description: Scanners are blocked, shortly for the demonstration.
when: { labels: [port_scan, host_sweep], min_confidence: 0.5 }
respond:
  ladder: [{ action: block, scope: ip, duration: ${BLOCK_SECS}s }]
  when_spoofable: rate_limit
`;

let zeroMs = performance.now();

/** A heading sets the clock to zero. */
function heading(text: string): void {
  zeroMs = performance.now();
  console.log(`\n\x1b[1m${text}\x1b[0m`);
}

function say(text: string, atMs = performance.now() - zeroMs): void {
  console.log(`  ${atMs.toFixed(0).padStart(6)} ms  ${text}`);
}

function check(what: string, good: boolean): void {
  if (!good) throw new Error(`${what}: it is not so`);
  say(what);
}

async function show(lab: Lab): Promise<void> {
  const { attacker, client, victim, router } = lab.hosts;
  heading(`Portcullis starts on the router, in enforce mode, watching wan0`);
  const config = { detect: { behaviour: { realert_secs: 5 } } };
  const box = await Box.start(lab, { mode: 'enforce', policies: { 'scan.yaml': POLICY }, config });
  await box.login();
  say('sensor, server and responder are up; the administrator is logged in');
  const feed = await box.api.live(['alerts', 'decisions']);

  heading('Before');
  const session = await SshSession.open(attacker, ATTACKER, victim.ip4);
  const innocent = await SshSession.open(client, CLIENT, victim.ip4);
  check(`attacker ${ATTACKER} has an SSH session on the victim ${victim.ip4}`, await session.lives());
  check(`client ${CLIENT} has one too`, await innocent.lives());
  check('the attacker reaches the web server', await connects(attacker, ATTACKER, victim.ip4, 80));
  check(
    'the kernel holds no block of the attacker',
    (await kernelElement(router, 'block4_32', ATTACKER)) === undefined,
  );

  heading('nmap -sT: the attacker scans 1000 ports');
  const capture = router.start('tcpdump', [
    '-tt',
    '-n',
    '-l',
    '--immediate-mode',
    '-i',
    'wan0',
    `tcp[13] == 2 and src ${ATTACKER}`,
  ]);
  await capture.waitForOutput(/listening/);
  const clockOffset = performance.now() - zeroMs - Date.now();
  const at = (epochMs: number): number => epochMs + clockOffset;
  const scan = attacker.start('nmap', ['-sT', '-n', '-Pn', '-T4', '-p', '1-1000', victim.ip4], { limitSecs: 60 });
  const alert = await feed.waitFor('alert', (m) => m.topic === 'alerts' && m.data?.['offender'] === ATTACKER);
  const isApplied = (data?: Partial<Decision>) => data?.value === ATTACKER && data.enforcement === 'applied';
  const applied = await feed.waitFor('block', (m) => m.topic === 'decisions' && isApplied(m.data));
  const element = await kernelElement(router, 'block4_32', ATTACKER);
  const { trace, reason } = applied.data as unknown as Decision;
  const first = Number((await capture.waitForOutput(/([\d.]+) IP/))[1]) * 1000;
  say('first probe on the wire', at(first));
  say('deciding packet', at(trace.packetUs / 1000));
  say(`detected: ${String(alert.data?.['title'])}`, at(trace.detectedUs / 1000));
  say('alert', at(trace.alertUs / 1000));
  say(`decided: ${reason}`, at(trace.decidedUs / 1000));
  say(
    `in the kernel, ${((trace.kernelUs - trace.packetUs) / 1000).toFixed(2)} ms after the deciding packet`,
    at(trace.kernelUs / 1000),
  );
  say('alert on the WebSocket of the console', at(alert.atMs));
  say(`nft get element inet portcullis block4_32: ${element ?? 'nothing'}`);
  check('the kernel holds the block', element !== undefined);

  heading('While it is blocked');
  check('the attacker does not reach the web server', await isShut(attacker, ATTACKER, victim.ip4, 80));
  check('its established SSH session is dead', await session.dies());
  check('the client works on in its session', await innocent.lives());
  check('the client reaches the web server', await connects(client, CLIENT, victim.ip4, 80));
  await scan.stop();

  heading('What rsyslog has');
  const cef = (line: string): string =>
    line.slice(Math.max(0, line.indexOf('CEF:')), 150 + Math.max(0, line.indexOf('CEF:')));
  say(cef(await siemLine(lab, 'the alert', new RegExp(`src=${ATTACKER}\\b`), /port.?scan/i)));
  say(cef(await siemLine(lab, 'the block', new RegExp(`${ATTACKER}\\b`), /decision:block\|/)));

  heading(`The block ends by itself after ${BLOCK_SECS} s`);
  const gone = async () => (await kernelElement(router, 'block4_32', ATTACKER)) === undefined;
  await waitFor('the kernel lets go', gone, { limitMs: (BLOCK_SECS + 5) * 1000 });
  say('the kernel has let go');
  await feed.waitFor('expiry', (m) => m.topic === 'decisions' && m.data?.['enforcement'] === 'expired');
  say('the console knows');
  say(cef(await siemLine(lab, 'the unblock', new RegExp(`${ATTACKER}\\b`), /decision:unblock\|/)));
  check('the attacker reaches the web server again', await connects(attacker, ATTACKER, victim.ip4, 80));
  feed.close();
}

const lab = await openLab({ services: ['web', 'ssh', 'syslog'] });
try {
  await show(lab);
  console.log('\nDone: found, blocked, reported, released.');
} catch (error) {
  console.error(`\nThe demonstration failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  await lab.close();
}
