import type { FleetMember } from '../../contract/fleet.js';
import { addressKey } from '../entries.js';
import { BUCKETS, inboxOf, STREAMS, SUBJECTS } from '../names.js';

/** A NATS server of the fleet. */
export interface NatsNode {
  name: string;
  /** Name or address that members and the other nodes dial. */
  host: string;
}

export interface NatsPorts {
  client: number;
  cluster: number;
  leaf: number;
}

export interface NodeConfig {
  fleet: string;
  nodes: readonly NatsNode[];
  ports: NatsPorts;
  /** Where the node's folder will lie on its machine. */
  folder: string;
  /** Where JetStream keeps its files. */
  storeDir: string;
  maxStoreMiB: number;
}

export const LEAF_USER = 'CN=leaf,OU=leaf';

const list = (items: readonly string[]): string => `[${items.map((i) => JSON.stringify(i)).join(', ')}]`;

function tls(folder: string, map: boolean): string {
  return `{
    cert_file: "${folder}/tls.pem"
    key_file: "${folder}/tls.key"
    ca_file: "${folder}/ca.pem"
    ${map ? 'verify_and_map' : 'verify'}: true
    timeout: 5
  }`;
}

/** `nats.conf` of one node: mutual TLS everywhere, one account with JetStream, a port for leaf nodes of branches. */
export function natsConfig(node: NatsNode, config: NodeConfig): string {
  const { fleet, nodes, ports, folder } = config;
  const routes = nodes.filter((n) => n.name !== node.name).map((n) => `tls://${n.host}:${ports.cluster}`);
  const cluster = `
cluster {
  name: "${fleet}"
  listen: "${node.host}:${ports.cluster}"
  routes: ${list(routes)}
  tls ${tls(folder, false)}
}
`;
  return `# Made by portcullis fleet init for the NATS server ${node.name} of the fleet ${fleet}.
server_name: "${node.name}"
listen: "${node.host}:${ports.client}"
ping_interval: "2s"
ping_max: 2
write_deadline: "5s"
jetstream {
  store_dir: "${config.storeDir}"
  max_file_store: ${config.maxStoreMiB}MB
}
tls ${tls(folder, true)}
${nodes.length > 1 ? cluster : ''}
leafnodes {
  listen: "${node.host}:${ports.leaf}"
  tls ${tls(folder, true)}
  authorization { users: [ { user: "${LEAF_USER}", account: "PORTCULLIS" } ] }
}
system_account: "SYS"
include "users.conf"
`;
}

/** `nats.conf` of a branch: members there dial it, and it dials the fleet. It keeps nothing itself. */
export function leafConfig(config: NodeConfig): string {
  const { fleet, nodes, ports, folder } = config;
  const remotes = nodes.map((n) => `tls://${n.host}:${ports.leaf}`);
  return `# Made by portcullis fleet init: a leaf node for a branch site of the fleet ${fleet}.
# Give it the folder "leaf"; members of the branch name it under fleet.servers.
server_name: "leaf"
listen: "0.0.0.0:${ports.client}"
ping_interval: "2s"
ping_max: 2
tls ${tls(folder, true)}
leafnodes {
  reconnect: 1
  remotes: [ {
    urls: ${list(remotes)}
    account: "PORTCULLIS"
    tls {
      cert_file: "${folder}/tls.pem"
      key_file: "${folder}/tls.key"
      ca_file: "${folder}/ca.pem"
      timeout: 5
    }
  } ]
}
system_account: "SYS"
include "users.conf"
`;
}

/** The name by which a NATS server knows a member: the subject of its certificate. */
export function natsUser({ name, role }: Pick<FleetMember, 'name' | 'role'>): string {
  return `CN=${name},OU=${role}`;
}

/** What both roles need to watch buckets: consumers of their own and flow control. */
const WATCH = [
  '$JS.API.INFO',
  '$JS.API.STREAM.INFO.*',
  '$JS.FC.>',
  ...[BUCKETS.decisions, BUCKETS.trust].flatMap((bucket) => [
    `$JS.API.CONSUMER.CREATE.KV_${bucket}`,
    `$JS.API.CONSUMER.CREATE.KV_${bucket}.>`,
    `$JS.API.CONSUMER.DELETE.KV_${bucket}.*`,
    `$JS.API.CONSUMER.INFO.KV_${bucket}.*`,
    `$JS.API.STREAM.MSG.GET.KV_${bucket}`,
    `$JS.API.DIRECT.GET.KV_${bucket}.>`,
  ]),
];

/** A box speaks under its own name only, and cannot take work, hold leases, or make and delete streams. */
function boxPermissions(name: string): string {
  const publish = [
    SUBJECTS.say(name),
    SUBJECTS.ask(name),
    SUBJECTS.detection('*', name),
    SUBJECTS.flows(name),
    SUBJECTS.reports(name),
    `$KV.${BUCKETS.decisions}.${name}.>`,
    `$KV.${BUCKETS.members}.${name}`,
    `$KV.${BUCKETS.trust}.roster`,
    `$KV.${BUCKETS.trust}.${addressKey(name)}`,
    ...WATCH,
  ];
  return permissions(publish, [`${inboxOf(name)}.>`, SUBJECTS.say('*'), SUBJECTS.tell(name)]);
}

/** A server works on all streams; it cannot remove or empty a stream. */
function serverPermissions(name: string): string {
  const streams = [...Object.values(STREAMS), ...Object.values(BUCKETS).map((bucket) => `KV_${bucket}`)];
  const publish = [
    'portcullis.>',
    ...Object.values(BUCKETS).map((bucket) => `$KV.${bucket}.>`),
    '$JS.API.INFO',
    '$JS.API.STREAM.NAMES',
    '$JS.FC.>',
    '$JS.ACK.>',
    ...streams.flatMap((stream) => [
      ...['INFO', 'CREATE', 'UPDATE'].map((what) => `$JS.API.STREAM.${what}.${stream}`),
      `$JS.API.STREAM.MSG.GET.${stream}`,
      `$JS.API.STREAM.MSG.DELETE.${stream}`,
      `$JS.API.DIRECT.GET.${stream}.>`,
      ...['CREATE', 'DURABLE.CREATE', 'MSG.NEXT', 'INFO', 'DELETE'].flatMap((what) => [
        `$JS.API.CONSUMER.${what}.${stream}`,
        `$JS.API.CONSUMER.${what}.${stream}.>`,
      ]),
    ]),
  ];
  return permissions(publish, [`${inboxOf(name)}.>`, 'portcullis.>']);
}

function permissions(publish: readonly string[], subscribe: readonly string[]): string {
  return `{ publish: { allow: ${list(publish)} }, subscribe: { allow: ${list(subscribe)} } }`;
}

/** `users.conf`, the same on every node and leaf: each member with what it may say and hear. */
export function usersConfig(members: readonly FleetMember[]): string {
  const users = members.map((member) => {
    const may = member.role === 'box' ? boxPermissions(member.name) : serverPermissions(member.name);
    return `      { user: "${natsUser(member)}", permissions: ${may} }`;
  });
  return `# Made by portcullis fleet join; copy it to every NATS server, then: nats-server --signal reload
accounts {
  PORTCULLIS {
    jetstream: enabled
    users: [
${users.join('\n')}
    ]
  }
  SYS { users: [] }
}
`;
}
