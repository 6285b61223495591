import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Browser } from 'playwright-core';
import type { Host, Lab } from '../lab.js';

const CHROMIUM = process.env['PORTCULLIS_CHROMIUM'] ?? '/usr/bin/chromium';
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A headless Chromium that runs on a host of the lab, so that it reaches what listens on that host's loopback. */
export async function openBrowser(lab: Lab, host: Host): Promise<Browser> {
  const wrapper = join(lab.dir, 'chromium');
  writeFileSync(wrapper, `#!/bin/sh\nexec ip netns exec ${host.netns} ${CHROMIUM} "$@"\n`);
  chmodSync(wrapper, 0o755);
  return chromium.launch({ executablePath: wrapper, args: FLAGS });
}
