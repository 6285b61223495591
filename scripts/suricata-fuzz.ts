/**
 * Prints rules made at random from the bytes of captures, for `suricata-compare.ts`: contents with their modifiers, numbers,
 * sizes, transforms, patterns, states of flows and limits. The same seed and captures give the same rules.
 *
 *   npx tsx scripts/suricata-fuzz.ts [--seed N] [--count N] [--only PROTOCOL] CAPTURES... > fuzz.rules
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bufferReference } from '../src/detect/signature/buffers.js';
import { createRandom } from '../src/train/random.js';
import { pick, randomRule, type Sample } from './lib/random-rule.js';
import { matchedBytes } from './lib/rule-replay.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '200' },
    only: { type: 'string', default: '' },
  },
});
if (positionals.length === 0) {
  process.stderr.write('usage: suricata-fuzz.ts [--seed N] [--count N] [--only PROTOCOL] CAPTURES...\n');
  process.exit(2);
}

/** Buffers of packets, by the protocol of rules that have them; the payload has no name. */
const OF_PACKETS: readonly (readonly [string, string])[] = [
  ['tcp-pkt', ''],
  ['tcp-stream', ''],
  ['tcp', ''],
  ['udp', ''],
  ['icmp', ''],
  ['ip', ''],
  ['ip', 'ipv4.hdr'],
  ['tcp', 'tcp.hdr'],
  ['udp', 'udp.hdr'],
  ['icmp', 'icmpv4.hdr'],
];

/** Of Suricata 8. */
const LATER =
  /^(dns\.(query\.name|queries|answer|authorities|additionals|response)|tls\.(subjectaltname|alpn)|mqtt\.connect\.protocol|email|smtp\.|ftp\.|pgsql)/;

const kinds = [
  ...OF_PACKETS,
  ...bufferReference()
    .filter(({ source, name }) => source === 'transaction' && !LATER.test(name))
    .flatMap(({ name, protos }) => protos.map((proto) => [proto, name] as const)),
].filter(([proto]) => values.only === '' || proto === values.only);

/** What the captures have in each buffer, as its beginning. */
async function harvest(): Promise<Sample[]> {
  const folder = mkdtempSync(join(tmpdir(), 'fuzz-'));
  try {
    const file = join(folder, 'all.rules');
    const rules = kinds.map(([proto, buffer], i) => {
      const name = buffer === '' ? '' : `${buffer}; `;
      return `alert ${proto} any any -> any any (${name}pcre:"/^[\\s\\S]{1,100}/"; sid:${i + 1};)`;
    });
    writeFileSync(file, rules.join('\n'));
    const found = await matchedBytes(file, positionals);
    return found.map(({ sid, bytes }) => ({ proto: kinds[sid - 1]![0], buffer: kinds[sid - 1]![1], bytes }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const random = createRandom(Number(values.seed)).next;
const samples = await harvest();
const byKind = new Map<string, Sample[]>();
for (const sample of samples) {
  const key = `${sample.proto} ${sample.buffer}`;
  byKind.set(key, [...(byKind.get(key) ?? []), sample]);
}
const groups = [...byKind.values()];
for (let sid = 1; sid <= Number(values.count); sid++)
  process.stdout.write(`${randomRule(random, pick(random, pick(random, groups)), sid)}\n`);
