import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StartService } from './index.js';
import { listening } from './ready.js';

/** Where {@link startRsyslog} writes what it receives, one message a line, as it came. */
export const syslogFile = (dir: string): string => join(dir, 'siem.log');

/** rsyslog receiving syslog by UDP and TCP on port 514. */
export const startRsyslog: StartService = async (host, dir) => {
  const work = join(dir, 'rsyslog');
  mkdirSync(work);
  const config = join(dir, 'rsyslog.conf');
  const lines = [
    `global(workDirectory="${work}" maxMessageSize="64k")`,
    'module(load="imudp")',
    'module(load="imtcp" maxSessions="200")',
    'template(name="raw" type="string" string="%rawmsg%\\n")',
    'input(type="imudp" port="514")',
    'input(type="imtcp" port="514")',
    `action(type="omfile" file="${syslogFile(dir)}" template="raw" asyncWriting="off" flushOnTXEnd="on")`,
  ];
  writeFileSync(config, `${lines.join('\n')}\n`);
  const args = ['-n', '-f', config, '-i', join(work, 'rsyslogd.pid')];
  const rsyslogd = host.start('/usr/sbin/rsyslogd', args, { logFile: join(dir, 'rsyslogd.log') });
  await listening(host, rsyslogd, 514);
  await listening(host, rsyslogd, 514, 'udp');
  return [rsyslogd];
};
