// npm run lab -- SCENARIO... [--out DIR] [--seed N] [--speed slow|normal|fast] [--role train|evaluate] [--seconds N]
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runScenario } from './run-scenario.js';
import { ROLES, SPEEDS } from './scenario.js';
import { SCENARIOS } from './scenarios/index.js';

const USAGE = `npm run lab -- SCENARIO... [options]      "all", "attacks" and "benign" stand for many (without the long ones)

  --out DIR        where each scenario gets a folder: capture.pcap, truth.json, truth.csv (default: lab-out)
  --seed N         makes choices repeatable (default: 1)
  --speed S        ${SPEEDS.join(', ')} (default: normal)
  --role R         ${ROLES.join(', ')}: disjoint sources (default: train)
  --seconds N      length of scenarios without an end of their own (default: 15)

Scenarios:
${SCENARIOS.map(({ name, kind, summary, isLong }) => `  ${name.padEnd(20)} ${kind.padEnd(7)} ${summary}${isLong === true ? ' (long)' : ''}`).join('\n')}
`;

function oneOf<T extends string>(name: string, allowed: readonly T[], value: string): T {
  const found = allowed.find((item) => item === value);
  if (found === undefined) throw new Error(`--${name} must be one of ${allowed.join(', ')}, not "${value}"`);
  return found;
}

function number(name: string, value: string): number {
  if (!/^\d+$/.test(value)) throw new Error(`--${name} must be a number, not "${value}"`);
  return Number(value);
}

function select(names: readonly string[]) {
  const chosen = names.flatMap((name) => {
    const matching = SCENARIOS.filter(
      (s) =>
        name === s.name ||
        (s.isLong !== true &&
          (name === 'all' ||
            (name === 'benign' && s.kind === 'benign') ||
            (name === 'attacks' && s.kind === 'attack'))),
    );
    if (matching.length === 0)
      throw new Error(`No scenario is called "${name}". They are: ${SCENARIOS.map((s) => s.name).join(' ')}`);
    return matching;
  });
  return [...new Set(chosen)];
}

async function main(): Promise<void> {
  const text = (value: string) => ({ type: 'string', default: value }) as const;
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { out: text('lab-out'), seed: text('1'), speed: text('normal'), role: text('train'), seconds: text('15') },
  });
  if (positionals.length === 0) return void console.log(USAGE);
  for (const scenario of select(positionals)) {
    const out = join(values.out, scenario.name);
    const truth = await runScenario(scenario, {
      out,
      seed: number('seed', values.seed),
      seconds: number('seconds', values.seconds),
      speed: oneOf('speed', SPEEDS, values.speed),
      role: oneOf('role', ROLES, values.role),
    });
    const secs = truth.steps.map((step) => (step.endUs - step.startUs) / 1e6).reduce((a, b) => a + b, 0);
    console.log(
      `${scenario.name}: ${truth.packets} packets, ${truth.steps.length} steps, ${secs.toFixed(1)} s -> ${out}`,
    );
  }
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
