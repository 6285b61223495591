import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import {
  fleetMemberSchema,
  fleetNameSchema,
  type FleetMember,
  type FleetRole,
  type MemberFile,
} from '../../contract/fleet.js';
import type { SignedRoster } from '../../contract/ipc.js';
import { createCertificate, type CertifiedKey, type Subject } from '../../util/certificate.js';
import { AppError } from '../../util/errors.js';
import { MEMBER_FILES, writeRoster } from '../member.js';
import { createSealer } from '../seal.js';
import { ROSTER_PURPOSE } from '../trust.js';
import { leafConfig, natsConfig, usersConfig, type NatsNode } from './nats-config.js';

const AUTHORITY_DAYS = 3650;
const LEAF_DAYS = 825;

const portsSchema = z.strictObject({ client: z.number(), cluster: z.number(), leaf: z.number() });

/** `fleet.json`: what the authority knows. */
const fleetFileSchema = z.strictObject({
  fleet: fleetNameSchema,
  serial: z.number().int(),
  nodes: z.array(z.strictObject({ name: fleetNameSchema, host: z.string().min(1) })).min(1),
  ports: portsSchema,
  natsFolder: z.string(),
  storeDir: z.string(),
  storeMiB: z.number(),
  members: z.array(fleetMemberSchema),
});
export type FleetFile = z.infer<typeof fleetFileSchema>;

const FILES = { fleet: 'fleet.json', caKey: 'ca.key', caCert: 'ca.pem', signing: 'authority.key' } as const;
const CA = (fleet: string): Subject => ({ commonName: `Portcullis fleet ${fleet}` });

function fail(code: string, message: string, fix: string): AppError {
  return new AppError({ kind: 'user', code, message, fix });
}

function secret(path: string, text: string): void {
  writeFileSync(path, text, { mode: 0o600 });
}

function newSigningKey(): { privatePem: string; publicBase64: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return {
    privatePem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicBase64: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
  };
}

/** The folder from which a fleet is made: keep it off the boxes, it can make members. */
export interface Authority {
  readonly file: FleetFile;
  /** Makes the folder of a new member. @throws AppError fleet.exists */
  join(member: { name: string; role: FleetRole; site: string; out: string }): FleetMember;
  /** Takes a member off the roster and from the bus. @throws AppError fleet.not_found */
  revoke(name: string): void;
}

export interface InitInput {
  dir: string;
  fleet: string;
  nodes: readonly NatsNode[];
  ports: FleetFile['ports'];
  natsFolder: string;
  storeDir: string;
  storeMiB: number;
  nowMs: number;
}

/** Makes the authority of a new fleet and the folders of its NATS servers. @throws AppError fleet.exists, fleet.invalid */
export function initFleet(input: InitInput): Authority {
  const { dir, fleet, nodes, nowMs } = input;
  if (existsSync(join(dir, FILES.fleet))) {
    throw fail('fleet.exists', `There is a fleet in ${dir} already.`, 'Name another folder with --dir.');
  }
  const parsed = fleetFileSchema.safeParse({
    fleet,
    serial: 0,
    nodes: [...nodes],
    ports: input.ports,
    natsFolder: input.natsFolder,
    storeDir: input.storeDir,
    storeMiB: input.storeMiB,
    members: [],
  });
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw fail(
      'fleet.invalid',
      `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}.`,
      'Names: a-z, 0-9 and hyphens.',
    );
  }
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const ca = createCertificate({ subject: CA(fleet), authority: true, lifeDays: AUTHORITY_DAYS, nowMs });
  secret(join(dir, FILES.caKey), ca.key);
  writeFileSync(join(dir, FILES.caCert), ca.cert);
  secret(join(dir, FILES.signing), newSigningKey().privatePem);
  const authority = createAuthority(dir, parsed.data, nowMs);
  authority.writeNodes();
  authority.save();
  return authority;
}

/** @throws AppError fleet.not_found */
export function openAuthority(dir: string, nowMs: number): Authority {
  try {
    const file = fleetFileSchema.parse(JSON.parse(readFileSync(join(dir, FILES.fleet), 'utf8')));
    return createAuthority(dir, file, nowMs);
  } catch (error) {
    throw new AppError({
      kind: 'user',
      code: 'fleet.not_found',
      message: `There is no fleet in ${dir}.`,
      fix: 'Make one with `portcullis fleet init`, or name its folder with --dir.',
      cause: error,
    });
  }
}

function createAuthority(
  dir: string,
  file: FleetFile,
  nowMs: number,
): Authority & { writeNodes(): void; save(): void } {
  const caPem = readFileSync(join(dir, FILES.caCert), 'utf8');
  const issuer = { subject: CA(file.fleet), key: createPrivateKey(readFileSync(join(dir, FILES.caKey))) };
  const signing = createPrivateKey(readFileSync(join(dir, FILES.signing)));
  const sealer = createSealer(file.fleet, 'authority', signing);

  const certify = (subject: Subject, names: string[], purposes: ('server' | 'client')[]): CertifiedKey =>
    createCertificate({ subject, names, purposes, issuer, lifeDays: LEAF_DAYS, nowMs });

  function writeTls(folder: string, { cert, key }: CertifiedKey): void {
    mkdirSync(folder, { recursive: true, mode: 0o750 });
    writeFileSync(join(folder, MEMBER_FILES.authority), caPem);
    writeFileSync(join(folder, MEMBER_FILES.cert), cert);
    secret(join(folder, MEMBER_FILES.key), key);
  }

  const nodeFolder = (name: string): string => join(dir, 'nats', name);
  const at = (name: string): string => file.natsFolder.replace('{node}', name);

  function writeNodes(): void {
    const config = {
      ...file,
      maxStoreMiB: file.storeMiB,
    };
    for (const node of file.nodes) {
      const folder = nodeFolder(node.name);
      const subject = { commonName: node.name, organizationalUnit: 'nats' };
      writeTls(folder, certify(subject, [...new Set([node.host, node.name, 'localhost'])], ['server', 'client']));
      const here = { ...config, folder: at(node.name), storeDir: file.storeDir.replace('{node}', node.name) };
      writeFileSync(join(folder, 'nats.conf'), natsConfig(node, here));
    }
    const leaf = nodeFolder('leaf');
    writeTls(leaf, certify({ commonName: 'leaf', organizationalUnit: 'leaf' }, ['localhost'], ['server', 'client']));
    writeFileSync(join(leaf, 'nats.conf'), leafConfig({ ...config, folder: at('leaf') }));
  }

  function roster(): SignedRoster {
    const text = JSON.stringify({ fleet: file.fleet, serial: file.serial, members: file.members });
    return { text, signature: sealer.text(ROSTER_PURPOSE, text) };
  }

  /** A new serial, the roster, and `users.conf` for every NATS server. */
  function save(): void {
    file.serial += 1;
    writeFileSync(join(dir, FILES.fleet), `${JSON.stringify(file, undefined, 2)}\n`, { mode: 0o600 });
    writeRoster(join(dir, MEMBER_FILES.roster), roster());
    const users = usersConfig(file.members);
    for (const { name } of [...file.nodes, { name: 'leaf' }]) {
      writeFileSync(join(nodeFolder(name), 'users.conf'), users, { mode: 0o640 });
    }
  }

  return {
    file,
    writeNodes,
    save,
    join({ name, role, site, out }) {
      const taken = file.members.some((m) => m.name === name) || file.nodes.some((n) => n.name === name);
      if (taken) throw fail('fleet.exists', `"${name}" is in the fleet already.`, 'Choose another name, or revoke it.');
      const keys = newSigningKey();
      const parsed = fleetMemberSchema.safeParse({ name, role, site, key: keys.publicBase64 });
      if (!parsed.success) {
        throw fail('fleet.invalid', `"${name}" or "${site}" is no name.`, 'Names: a-z, 0-9 and hyphens, up to 32.');
      }
      writeTls(out, certify({ commonName: name, organizationalUnit: role }, [], ['client']));
      secret(join(out, MEMBER_FILES.signing), keys.privatePem);
      file.members.push(parsed.data);
      save();
      const member: MemberFile = {
        ...{ fleet: file.fleet, name, role, site },
        authority: publicOf(signing),
        servers: file.nodes.map((node) => `${node.host}:${file.ports.client}`),
        replicas: file.nodes.length >= 3 ? 3 : 1,
      };
      writeFileSync(join(out, MEMBER_FILES.member), `${JSON.stringify(member, undefined, 2)}\n`);
      writeRoster(join(out, MEMBER_FILES.roster), roster());
      return parsed.data;
    },
    revoke(name) {
      const at = file.members.findIndex((m) => m.name === name);
      if (at < 0) throw fail('fleet.not_found', `"${name}" is not in the fleet.`, 'See fleet.json for the members.');
      file.members.splice(at, 1);
      save();
    },
  };
}

function publicOf(key: KeyObject): string {
  return createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('base64');
}
