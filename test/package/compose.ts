import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';

type Value = string | string[] | boolean | Record<string, unknown>;
export type Service = Record<string, Value>;

/** `podman run` options of each key that the compose files use; a function of the value. */
const OPTIONS: Record<string, (value: never) => string[]> = {
  network_mode: (mode: string) => ['--network', mode],
  restart: (policy: string) => ['--restart', policy],
  read_only: (yes: boolean) => [`--read-only=${yes}`],
  tmpfs: (paths: string[]) => paths.flatMap((path) => ['--tmpfs', path]),
  cap_drop: (names: string[]) => names.map((name) => `--cap-drop=${name}`),
  cap_add: (names: string[]) => names.map((name) => `--cap-add=${name}`),
  security_opt: (list: string[]) => list.flatMap((option) => ['--security-opt', option]),
  stop_grace_period: (time: string) => [`--stop-timeout=${Number.parseInt(time)}`],
  user: (user: string) => ['--user', user],
  group_add: (groups: string[]) => groups.flatMap((group) => ['--group-add', group]),
  ulimits: (limits: Record<string, number>) =>
    Object.entries(limits).map(([name, limit]) => `--ulimit=${name}=${limit}:${limit}`),
  environment: (names: string[]) => names.flatMap((name) => ['--env', name]),
  healthcheck: ({ disable, test, ...times }: { disable?: boolean; test?: string[] } & Record<string, string>) =>
    disable === true
      ? ['--no-healthcheck']
      : [
          `--health-cmd=${JSON.stringify(test?.slice(1))}`,
          ...Object.entries(times).map(([name, time]) => `--health-${name.replaceAll('_', '-')}=${time}`),
        ],
};
/** What is said elsewhere: which image, how it is made, what it runs, and where its files are. */
const ELSEWHERE = ['image', 'build', 'command', 'volumes'];

/** The services of a compose file, with variables replaced. @throws when it has a key that no option stands for. */
export function readCompose(file: string, variables: Readonly<Record<string, string>> = {}): Record<string, Service> {
  const text = readFileSync(file, 'utf8').replace(/\$\{(\w+):\?[^}]*\}/g, (_, name: string) => {
    const value = variables[name];
    if (value === undefined) throw new Error(`${file} asks for ${name}`);
    return value;
  });
  const { services } = parse(text, { merge: true }) as { services: Record<string, Service> };
  for (const [name, service] of Object.entries(services)) {
    const unknown = Object.keys(service).filter((key) => !(key in OPTIONS) && !ELSEWHERE.includes(key));
    if (unknown.length > 0) throw new Error(`${file}, ${name}: ${unknown.join(', ')}`);
  }
  return services;
}

/** Arguments of `podman run` for a service: what `docker compose up` would do, for engines that come without it. */
export function podmanRun(file: string, name: string, service: Service, project: string): string[] {
  const options = Object.entries(service).flatMap(([key, value]) => OPTIONS[key]?.(value as never) ?? []);
  const mounts = ((service['volumes'] ?? []) as string[]).flatMap((volume) => {
    const isFolder = volume.startsWith('.');
    return ['--volume', isFolder ? join(dirname(file), volume) : `${project}_${volume}`];
  });
  const command = (service['command'] ?? []) as string[];
  return [
    '--detach',
    '--name',
    `${project}_${name}`,
    ...options,
    ...mounts,
    `localhost/${String(service['image'])}`,
    ...command,
  ];
}
