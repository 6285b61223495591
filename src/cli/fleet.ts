import { resolve } from 'node:path';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { FLEET_ROLES, type FleetRole } from '../contract/fleet.js';
import type { Fleet } from '../contract/http.js';
import { initFleet, openAuthority } from '../fleet/index.js';
import { callApi } from './api-client.js';
import { plain, toJson } from './print.js';

const DEFAULT_DIR = 'fleet';

interface InitFlags {
  dir: string;
  nats: { name: string; host: string }[];
  clientPort: number;
  clusterPort: number;
  leafPort: number;
  natsFolder: string;
  storeDir: string;
  storeMib: number;
}

function parseNodes(text: string): InitFlags['nats'] {
  return text.split(',').map((item) => {
    const [name = '', host = ''] = item.trim().split('=');
    if (name === '' || host === '') throw new InvalidArgumentError('Write NAME=HOST, comma separated.');
    return { name, host };
  });
}

function parsePort(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw new InvalidArgumentError('A port is a number from 1 to 65535.');
}

function parseMib(text: string): number {
  const mib = Number(text);
  if (Number.isInteger(mib) && mib > 0) return mib;
  throw new InvalidArgumentError('Write a whole number of MiB.');
}

function init(fleet: string, flags: InitFlags): void {
  const dir = resolve(flags.dir);
  initFleet({
    dir,
    fleet,
    nodes: flags.nats,
    ports: { client: flags.clientPort, cluster: flags.clusterPort, leaf: flags.leafPort },
    natsFolder: flags.natsFolder,
    storeDir: flags.storeDir,
    storeMiB: flags.storeMib,
    nowMs: Date.now(),
  });
  const folders = flags.nats.map(
    ({ name, host }) => `  ${dir}/nats/${name}  ->  ${host}:${at(flags.natsFolder, name)}`,
  );
  process.stdout.write(
    `The fleet ${fleet} is made in ${dir}; keep this folder, it can make members.\n` +
      `Copy to each NATS server its folder:\n${folders.join('\n')}\n` +
      `and start there: nats-server -c ${at(flags.natsFolder, flags.nats[0]?.name ?? '')}/nats.conf\n` +
      `Then: portcullis fleet join NAME --role server|box --site SITE --dir ${flags.dir}\n`,
  );
}

const at = (pattern: string, node: string): string => pattern.replace('{node}', node);

interface JoinFlags {
  dir: string;
  role: FleetRole;
  site: string;
  out?: string;
}

function join(name: string, flags: JoinFlags): void {
  const out = resolve(flags.out ?? `${flags.dir}/members/${name}`);
  openAuthority(resolve(flags.dir), Date.now()).join({ name, role: flags.role, site: flags.site, out });
  process.stdout.write(
    `${name} is a ${flags.role} of the fleet now. Its folder: ${out}\n` +
      `  1. Copy the folder to ${name}, readable by the portcullis user only, and name it there: fleet: { folder: ... }\n` +
      `  2. Copy nats/NODE/users.conf to every NATS server, then there: nats-server --signal reload\n` +
      `  3. Restart Portcullis on ${name}.\n`,
  );
}

function revoke(name: string, flags: { dir: string }): void {
  openAuthority(resolve(flags.dir), Date.now()).revoke(name);
  process.stdout.write(
    `${name} is off the roster.\n` +
      `  1. Copy nats/NODE/users.conf to every NATS server, then there: nats-server --signal reload\n` +
      `  2. Copy roster.json into the fleet folder of one member and restart its server: the others hear of it, and\n` +
      `     responders lift what ${name} has decided.\n`,
  );
}

async function status(flags: { config?: string; json?: true }): Promise<void> {
  const fleet = (await callApi(flags.config, 'GET', '/fleet')) as Fleet;
  if (flags.json === true) {
    process.stdout.write(`${toJson(fleet)}\n`);
    return;
  }
  if (!fleet.self) {
    process.stdout.write('This server stands alone.\n');
    return;
  }
  const { connected, server, lastError } = fleet.self;
  process.stdout.write(connected ? `Connected to ${server}.\n` : `Not connected: ${plain(lastError)}\n`);
  for (const m of fleet.members) {
    const { desired, enforced } = m.responder;
    const state = m.alive ? 'up' : 'AWAY';
    const does = fleet.scheduler === m.name ? `${m.role}, scheduler` : m.role;
    const line = [
      m.name.padEnd(20),
      does.padEnd(18),
      m.site.padEnd(12),
      m.version.padEnd(8),
      state.padEnd(5),
      m.mode.padEnd(8),
      `${enforced}/${desired} enforced`.padEnd(22),
      `policies ${m.policies?.digest ?? 'unknown'}`.padEnd(22),
      `lag ${Math.round(m.decisions.lagP95Ms)} ms`.padEnd(12),
      `${m.spool.waiting} waiting`,
      ...(m.spool.dropped > 0 ? [`${m.spool.dropped} DROPPED`] : []),
      ...(m.decisions.refused > 0 ? [`${m.decisions.refused} refused`] : []),
    ];
    process.stdout.write(`${plain(line.join(' '))}\n`);
  }
}

/** `portcullis fleet init|join|revoke|status`: many boxes over NATS JetStream. */
export function register(program: Command): void {
  const fleet = program.command('fleet').description('several boxes and servers over NATS JetStream');
  fleet
    .command('init')
    .description('make the authority of a new fleet and the configuration of its NATS servers')
    .argument('<name>', 'name of the fleet: a-z, 0-9, hyphens')
    .requiredOption('--nats <nodes>', 'NATS servers as NAME=HOST, comma separated; three for a cluster', parseNodes)
    .option('--dir <dir>', 'folder of the authority', DEFAULT_DIR)
    .option('--client-port <port>', 'port for members', parsePort, 4222)
    .option('--cluster-port <port>', 'port between the NATS servers', parsePort, 6222)
    .option('--leaf-port <port>', 'port for leaf nodes of branches', parsePort, 7422)
    .option(
      '--nats-folder <dir>',
      'where the folder will lie on each NATS server; {node} is its name',
      '/etc/portcullis-nats',
    )
    .option(
      '--store-dir <dir>',
      'where JetStream keeps its files there; {node} is its name',
      '/var/lib/portcullis-nats',
    )
    .option('--store-mib <number>', 'most disk for JetStream on each NATS server', parseMib, 4096)
    .action(init);
  fleet
    .command('join')
    .description('make the folder of a new member: certificate, signing key, roster')
    .argument('<name>', 'name of the member: a-z, 0-9, hyphens')
    .addOption(
      new Option('--role <role>', 'box: sensor and responder; server: console, database')
        .choices([...FLEET_ROLES])
        .makeOptionMandatory(),
    )
    .requiredOption('--site <site>', 'where it stands; decisions may be for one site')
    .option('--dir <dir>', 'folder of the authority', DEFAULT_DIR)
    .option('--out <dir>', 'folder to make; DIR/members/NAME unless given')
    .action(join);
  fleet
    .command('revoke')
    .description('take a member off the roster and from the bus')
    .argument('<name>')
    .option('--dir <dir>', 'folder of the authority', DEFAULT_DIR)
    .action(revoke);
  fleet
    .command('status')
    .description('members, versions, lag, and what is enforced where, as a server of the fleet knows them')
    .option('--config <file>', 'configuration file')
    .option('--json', 'print JSON')
    .action(status);
}
