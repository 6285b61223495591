import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from '../lab.js';
import { writeEtc } from '../netns.js';

/** Accounts of the victim. They exist only in its namespace's copies of /etc/passwd and /etc/shadow. */
export const USERS = [
  { name: 'alice', password: 'Tulip-4417-garden', uid: 20001 },
  { name: 'bob', password: 'sunshine', uid: 20002 },
] as const;

/** Makes the accounts known on the host, with home folders in the lab's folder. Safe to call for each service. */
export function addUsers(host: Host, dir: string): void {
  if (existsSync(join('/etc/netns', host.netns, 'passwd'))) return;
  const passwd: string[] = [];
  const shadow: string[] = [];
  for (const { name, password, uid } of USERS) {
    const home = join(dir, 'home', name);
    mkdirSync(home, { recursive: true });
    execFileSync('chown', [`${uid}:${uid}`, home]);
    const hash = execFileSync('openssl', ['passwd', '-6', '-stdin'], { input: password, encoding: 'utf8' }).trim();
    passwd.push(`${name}:x:${uid}:${uid}:${name}:${home}:/bin/sh`);
    shadow.push(`${name}:${hash}:19000:0:99999:7:::`);
  }
  writeEtc(host.netns, 'passwd', withLines('/etc/passwd', passwd));
  writeEtc(host.netns, 'shadow', withLines('/etc/shadow', shadow), 0o600);
}

function withLines(file: string, lines: string[]): string {
  return `${readFileSync(file, 'utf8').trimEnd()}\n${lines.join('\n')}\n`;
}
