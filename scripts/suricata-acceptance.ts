/**
 * Compares which rules Suricata and Portcullis refuse: sound uses of keywords, each with every protocol, or several of them put together
 * at random. The same seed gives the same rules.
 *
 *   npx tsx scripts/suricata-acceptance.ts (--protocols | --joined N) [--seed N] [--suricata PATH]
 *
 * Prints every rule that one side refuses and the other takes, with our reason, and how many were compared.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PROTOCOLS } from '../src/detect/signature/compile.js';
import { loadRules } from '../src/detect/signature/index.js';
import { createRandom } from '../src/train/random.js';
import { TAKEN } from '../test/unit/detect/signature/acceptance-cases.js';
import { pick } from './lib/random-rule.js';

const { values } = parseArgs({
  options: {
    protocols: { type: 'boolean', default: false },
    joined: { type: 'string', default: '0' },
    seed: { type: 'string', default: '1' },
    suricata: { type: 'string', default: 'suricata' },
  },
});

/** Off in the configuration that comes with Debian. */
const SETTINGS = ['modbus', 'dnp3', 'enip', 'pgsql', 'telnet'].flatMap((name) => [
  '--set',
  `app-layer.protocols.${name}.enabled=yes`,
]);

/** Rules that one process reads: more take it long to sort. */
const CHUNK = 2500;
/** Of Suricata 8. */
const LATER = new Set(['ether', 'arp', 'igmp', 'any', 'icmpv4', 'icmpv6', 'ip4', 'ip6']);
const protocols = Object.keys(PROTOCOLS).filter((name) => !LATER.has(name));

const uses = TAKEN.split('\n')
  .filter((line) => line !== '')
  .map((line) => ({ proto: line.slice(0, line.indexOf(' ')), options: line.slice(line.indexOf(' ') + 1) }));
const { next: random } = createRandom(Number(values.seed));

function* rules(): Generator<string> {
  if (values.protocols) for (const { options } of uses) for (const proto of protocols) yield `${proto} ${options}`;
  for (let i = 0; i < Number(values.joined); i++) {
    const parts = Array.from({ length: random() < 0.7 ? 2 : 3 }, () => pick(random, uses));
    const proto = random() < 0.7 ? pick(random, parts).proto : pick(random, protocols);
    yield `${proto} ${parts.map((p) => p.options).join('; ')}`;
  }
}

function refusedThere(texts: readonly string[]): Set<number> {
  const work = mkdtempSync(join(tmpdir(), 'sa-'));
  try {
    const file = join(work, 'a.rules');
    writeFileSync(file, `${texts.join('\n')}\n`);
    const run = spawnSync(values.suricata, ['-T', '-S', file, '-l', work, ...SETTINGS], {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    });
    const told = `${run.stdout}${run.stderr}`;
    return new Set([...told.matchAll(/error parsing signature [^\n]*? at line (\d+)/g)].map((m) => Number(m[1])));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function refusedHere(texts: readonly string[]): Map<number, string> {
  const { problems } = loadRules([{ file: 'a.rules', text: texts.join('\n') }]);
  return new Map(problems.map((p) => [p.line, p.reason]));
}

let compared = 0;
let differing = 0;
function compare(texts: readonly string[]): void {
  const [here, there] = [refusedHere(texts), refusedThere(texts)];
  compared += texts.length;
  for (const [i, text] of texts.entries()) {
    const reason = here.get(i + 1);
    if ((reason !== undefined) === there.has(i + 1)) continue;
    differing++;
    process.stdout.write(reason === undefined ? `there ${text}\n` : `here  ${text}  (${reason})\n`);
  }
}

let chunk: string[] = [];
const known = new Set<string>();
for (const rule of rules()) {
  if (known.has(rule)) continue;
  known.add(rule);
  const space = rule.indexOf(' ');
  chunk.push(`alert ${rule.slice(0, space)} any any -> any any (${rule.slice(space + 1)}; sid:${chunk.length + 1};)`);
  if (chunk.length < CHUNK) continue;
  compare(chunk);
  chunk = [];
}
compare(chunk);
process.stdout.write(`${compared} rules, ${differing} taken by one side only\n`);
