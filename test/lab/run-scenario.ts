import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readAddresses, truthProblems } from './check-truth.js';
import { openLab } from './lab.js';
import { Random } from './random.js';
import { ScenarioContext, type Role, type Scenario, type Speed } from './scenario.js';
import { writeTruth, type Truth } from './truth.js';

export interface RunOptions {
  out: string;
  seed: number;
  speed: Speed;
  role: Role;
  seconds: number;
}

/** Runs one scenario in a lab of its own; leaves capture.pcap, truth.json and truth.csv in `out`. */
export async function runScenario(scenario: Scenario, options: RunOptions): Promise<Truth> {
  mkdirSync(options.out, { recursive: true });
  const lab = await openLab({ services: scenario.services });
  try {
    const file = join(options.out, 'capture.pcap');
    const capture = await lab.capture(file);
    const context = new ScenarioContext(lab, { ...options, random: new Random(options.seed) });
    await scenario.run(context);
    // Replies and connection ends that are still on their way.
    await delay(300);
    const { captured, dropped } = await capture.stop();
    if (dropped > 0) throw new Error(`The capture lost ${dropped} packets: it is not the truth.`);
    const { seed, speed, role } = options;
    const facts = { scenario: scenario.name, seed, speed, role, capture: 'capture.pcap', device: 'wan0' };
    const truth = { ...facts, packets: captured, steps: context.steps };
    const problems = await truthProblems(truth.steps, readAddresses(file));
    if (problems.length > 0) throw new Error(`The truth does not fit the capture:\n  ${problems.join('\n  ')}`);
    writeTruth(options.out, truth);
    return truth;
  } finally {
    await lab.close();
  }
}
