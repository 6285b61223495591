import type { Random } from '../random.js';
import type { FleetLab, Restartable } from './fleet-lab.js';

/** Something that goes wrong, and ends. */
export interface Fault {
  name: string;
  /** Faults of one kind are not combined. */
  kind: 'box daemon' | 'server' | 'node' | 'database' | 'partition';
  begin(): Promise<void>;
  end(): Promise<void>;
  /** Boxes (from 0) that see nothing of the wire, or block nothing by themselves, meanwhile. */
  blind: readonly number[];
  /** A server that cannot be asked meanwhile. */
  deaf?: number;
}

function killed(name: string, what: Restartable, rest: Pick<Fault, 'kind' | 'blind'> & { deaf?: number }): Fault {
  return {
    name: `kill -9 of ${name}`,
    begin: () => what.kill(),
    end: () => Promise.resolve(what.start()),
    ...rest,
  };
}

/** kill -9 of every process of the fleet, of each NATS node and of two of them, and of MariaDB; a partition of each box. */
export function faultsOf(lab: FleetLab): Fault[] {
  const daemons = lab.boxes.flatMap((box, i) =>
    Object.entries(box.daemons).map(([daemon, process]) =>
      killed(`${box.name}'s ${daemon}`, process, { kind: 'box daemon', blind: [i] }),
    ),
  );
  const partitions = lab.boxes.map((box, i): Fault => ({
    ...{ name: `partition of ${box.name}`, kind: 'partition', blind: [] },
    begin: () => Promise.resolve(lab.partition(i, true)),
    end: () => Promise.resolve(lab.partition(i, false)),
  }));
  const database: Fault = {
    ...{ name: 'kill -9 of MariaDB', kind: 'database', blind: [] },
    begin: () => lab.mariaDb.kill(),
    end: () => lab.mariaDb.start(),
  };
  const twoNodes: Fault = {
    ...{ name: 'kill -9 of two NATS servers', kind: 'node', blind: [] },
    begin: async () => void (await Promise.all(lab.nodes.slice(1).map((node) => node.kill()))),
    end: () => Promise.resolve(lab.nodes.slice(1).forEach((node) => node.start())),
  };
  return [
    ...daemons,
    ...lab.servers.map(({ name, daemon }, i) => killed(name, daemon, { kind: 'server', blind: [], deaf: i })),
    ...lab.nodes.map((node, i) => killed(`nats${i + 1}`, node, { kind: 'node', blind: [] })),
    twoNodes,
    ...partitions,
    database,
  ];
}

/** One or two faults at once, of different kinds; every kind is as likely as any other. */
export function pickFaults(faults: readonly Fault[], random: Random): Fault[] {
  const kinds = [...new Set(faults.map((f) => f.kind))];
  return random.sample(kinds, random.integer(1, 2)).map((kind) => random.pick(faults.filter((f) => f.kind === kind)));
}
