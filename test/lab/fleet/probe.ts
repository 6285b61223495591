import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as dial, createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { jetstream } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { memberFileSchema } from '../../../src/contract/fleet.js';
import type { Decision, EnforcementReport } from '../../../src/domain/decision.js';
import { createSealer, type Statement } from '../../../src/fleet/seal.js';
import { uuid7 } from '../../../src/util/uuid7.js';

/** A member that is no daemon: hears what is said and reported, and says what a test wants it to say. */
export class Probe {
  readonly said: Statement[] = [];
  readonly reports: { member: string; report: EnforcementReport }[] = [];
  private readonly nc: NatsConnection;
  private readonly folder: string;

  private constructor(nc: NatsConnection, folder: string) {
    this.nc = nc;
    this.folder = folder;
    nc.subscribe('portcullis.say.*', {
      callback: (_error, msg) => {
        for (const line of msg.string().split('\n')) this.said.push(JSON.parse(line) as Statement);
      },
    });
    nc.subscribe('portcullis.report.*', {
      callback: (_error, msg) => {
        const member = msg.subject.split('.').at(-1) ?? '';
        const { reports } = JSON.parse(msg.string()) as { reports: EnforcementReport[] };
        this.reports.push(...reports.map((report) => ({ member, report })));
      },
    });
  }

  /** @param socketPath leads to a NATS server in the hub's namespace; the client wants TCP, so a port leads there. */
  static async open(folder: string, socketPath: string): Promise<Probe> {
    const server = createServer((caller) => {
      const target = dial(socketPath);
      caller.pipe(target).pipe(caller);
      caller.on('error', () => target.destroy());
      target.on('error', () => caller.destroy());
    }).listen(0, '127.0.0.1');
    server.unref();
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const read = (file: string): string => readFileSync(join(folder, file), 'utf8');
    const nc = await connect({
      servers: [`localhost:${port}`],
      tls: { ca: read('ca.pem'), cert: read('tls.pem'), key: read('tls.key') },
      inboxPrefix: '_INBOX_probe',
      ignoreClusterUpdates: true,
    });
    return new Probe(nc, folder);
  }

  /** A block as this member would say it; `forged` signs it with a key that is not this member's. */
  statement(value: string, { forged = false, durationSecs = 600 } = {}): Statement {
    const { fleet, name } = memberFileSchema.parse(JSON.parse(readFileSync(join(this.folder, 'member.json'), 'utf8')));
    const own = createPrivateKey(readFileSync(join(this.folder, 'sign.key')));
    const sealer = createSealer(fleet, name, forged ? generateKeyPairSync('ed25519').privateKey : own);
    const nowMs = Date.now();
    const decision: Decision = {
      ...{ id: uuid7(), action: 'block', scope: 'ip', value, traffic: 'from', durationSecs, createdMs: nowMs },
      ...{ expiresMs: nowMs + durationSecs * 1000, origin: 'operator', actor: 'probe', reason: 'a test' },
      ...{ alertIds: [], simulated: false, mode: 'enforce', step: 0, enforcement: 'pending' },
      trace: { packetUs: 0, detectedUs: 0, alertUs: 0, decidedUs: 0, receivedUs: 0, kernelUs: 0 },
    };
    return { state: 'active', decision: sealer.decision(decision, { issuer: name, reach: 'all', version: nowMs }) };
  }

  async put(statement: Statement): Promise<void> {
    const kv = await new Kvm(jetstream(this.nc)).open('PORTCULLIS_DECISIONS');
    const id = statement.state === 'active' ? statement.decision.id : statement.id;
    await kv.put(`probe.probe.${id}`, JSON.stringify(statement));
  }

  close(): Promise<void> {
    return this.nc.close();
  }
}
