import { errorMessage } from '../../util/errors.js';
import { createNftRunner, type NftRunner } from '../backend/nft.js';
import { parseNftJson } from '../backend/nft-backend.js';
import { createLayout } from '../layout.js';
import type { EnforceOptions } from '../options.js';
import { createBox, type Box } from '../protect/box.js';
import { renderRuleset } from '../ruleset.js';
import { isClockSynchronised } from './clock.js';
import { checkClock, checkDisk, checkInterfaces, checkPolicyRouting, checkReload, checkRights } from './host-checks.js';
import { ok, problem, warning, type DoctorItem } from './item.js';
import { parseRuleset } from './model.js';
import { checkRuleset } from './ruleset-checks.js';

export interface DoctorDeps {
  box?: Box;
  netns?: string;
  /** What the sensor listens on, when known. */
  sensorInterfaces?: readonly string[];
}

const SLOW_NFT_MS = 150;

/** Examines ruleset, interfaces, rights, clock and disk: what is wrong, what it means, and the fix. */
export async function runDoctor(options: EnforceOptions, deps: DoctorDeps = {}): Promise<DoctorItem[]> {
  const where = deps.netns === undefined ? {} : { netns: deps.netns };
  const box = deps.box ?? createBox(where);
  const nft = createNftRunner(where);
  try {
    return [
      checkRights(box),
      ...(await checkNft(nft, options)),
      ...(await checkInterfaces(box, options, deps.sensorInterfaces)),
      await checkPolicyRouting(box),
      checkReload(box),
      checkClock(isClockSynchronised()),
      checkDisk(options.state_dir),
    ];
  } finally {
    nft.close();
  }
}

async function checkNft(nft: NftRunner, options: EnforceOptions): Promise<DoctorItem[]> {
  let version: string;
  try {
    version = await nft.run(['--version']);
  } catch (error) {
    return [
      problem('nft.program', 'nft', {
        detail: errorMessage(error),
        fix: 'Install it: apt install nftables.',
      }),
    ];
  }
  const items = [ok('nft.program', 'nft', version.trim())];
  try {
    const text = await nft.run(['-j', '-t', 'list', 'ruleset']);
    items.push(...checkRuleset(parseRuleset(parseNftJson(text)), options));
    items.push(await checkFeatures(nft, options), await checkSpeed(nft));
  } catch (error) {
    items.push(
      problem('nft.ruleset', 'Ruleset', { detail: errorMessage(error), fix: 'Run as root, or with CAP_NET_ADMIN.' }),
    );
  }
  return items;
}

/** Asks the kernel whether it would take our ruleset (`nft -c`), statement by statement if not. */
async function checkFeatures(nft: NftRunner, options: EnforceOptions): Promise<DoctorItem> {
  const title = 'Kernel features';
  const check = async (script: string): Promise<string | undefined> => {
    try {
      await nft.load(script, { checkOnly: true });
      return undefined;
    } catch (error) {
      return errorMessage(error);
    }
  };
  const probe = { ...options, table: `${options.table}_check` };
  const refused = await check(renderRuleset(createLayout(probe), []));
  if (refused === undefined) return ok('nft.features', title, 'The kernel takes our whole ruleset.');
  const missing: string[] = [];
  for (const statement of ['log', 'limit rate 5/second', 'counter', 'ct state new']) {
    const rule = `table inet ${probe.table} {\n chain c {\n ${statement}\n }\n}\n`;
    if ((await check(rule)) !== undefined) missing.push(statement.split(' ')[0]!);
  }
  return problem('nft.features', title, {
    detail: `${refused}${missing.length > 0 ? ` Missing: ${missing.join(', ')}.` : ''}`,
    fix: missing.includes('log')
      ? 'Set enforce.log_blocked: false, or load nf_log_syslog.'
      : 'Use a kernel with nf_tables, 5.10 or later.',
  });
}

/** Every nft command reads all interval sets of the box first: a big one makes each command slow. */
async function checkSpeed(nft: NftRunner): Promise<DoctorItem> {
  const title = 'nft speed';
  const startMs = performance.now();
  await nft.load(
    'table inet portcullis_speed {\n set s { type ipv4_addr; }\n}\nadd element inet portcullis_speed s { 192.0.2.1 }\n',
    {
      checkOnly: true,
    },
  );
  const ms = Math.round(performance.now() - startMs);
  if (ms < SLOW_NFT_MS) return ok('nft.speed', title, `A small change takes nft ${ms} ms.`);
  return warning('nft.speed', title, {
    detail: `A small change takes nft ${ms} ms, probably because of a large interval set. Blocks go past nft and stay fast; loading the ruleset does not.`,
    fix: 'Find it with "nft list ruleset | grep -B4 interval", and split it into sets by prefix length.',
  });
}
