import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openLab, type Lab } from '../../lab/lab.js';
import { nodeArgs } from '../../support/program.js';

const PORTCULLIS = nodeArgs('src/cli/main.ts');

let lab: Lab;
before(async () => {
  lab = await openLab({ services: ['web'] });
});
after(() => lab?.close());

/** `portcullis capture` on the router while something happens; ends with it. */
async function capture(label: string, name: string, happen: () => Promise<unknown>): Promise<string> {
  const out = join(lab.dir, `${name}.csv`);
  const args = ['capture', '--interface', 'wan0', '--duration', '60', '--label', label, '--out', out];
  const recording = lab.hosts.router.start(process.execPath, [...PORTCULLIS, ...args]);
  // The header is written when the interface is open.
  await recording.waitForOutput(/recording/i);
  await happen();
  await recording.stop('SIGINT');
  assert.match(recording.output, /packets, 0 lost by the kernel; written to/);
  return out;
}

async function portcullis(...args: string[]) {
  return lab.hosts.siem.run(process.execPath, [...PORTCULLIS, ...args]);
}

test('traffic is captured under labels, combined, trained on, and the model judges what was captured later', async () => {
  const { attacker, client, victim } = lab.hosts;
  const browse = async (pages: number): Promise<void> => {
    for (let i = 0; i < pages; i++) {
      const url = `http://${victim.ip4}/${['', 'image1.jpg', 'image2.jpg', 'nothing'][i % 4]!}`;
      await client.run('curl', ['-s', '-o', '/dev/null', '-m', '3', url]);
    }
  };
  const scan = (ports: string) => attacker.run('nmap', ['-sT', '-n', '-Pn', '-T4', '-p', ports, victim.ip4]);
  const benign = await capture('benign', 'benign', () => browse(40));
  const dos = await capture('port_scan', 'scan', () => scan('1-150'));
  const later = [
    await capture('benign', 'benign-later', () => browse(12)),
    await capture('port_scan', 'scan-later', () => scan('1000-1080')),
  ];
  assert.match(readFileSync(benign, 'utf8').split('\n')[1]!, /,benign$/);

  const model = join(lab.dir, 'my-model');
  const trained = await portcullis(
    'train', '--data', benign, dos, '--algorithm', 'gradient-boosting', '--trees', '20', '--out', model,
  ); // prettier-ignore
  assert.equal(trained.code, 0, trained.stderr);
  const judged = await portcullis('evaluate', '--model', model, '--data', ...later, '--json');
  assert.equal(judged.code, 0, judged.stderr);
  const { metrics } = JSON.parse(judged.stdout) as { metrics: { recall: number; falsePositiveRate: number } };
  assert.ok(metrics.recall > 0.95, `recall ${metrics.recall}`);
  assert.ok(metrics.falsePositiveRate < 0.1, `false alarms ${metrics.falsePositiveRate}`);

  const mixed = await portcullis('train', '--data', benign, '--algorithm', 'gradient-boosting', '--out', `${model}2`);
  assert.equal(mixed.code, 1, 'benign traffic alone teaches no classifier');
  assert.match(mixed.stderr, /class/);
});
