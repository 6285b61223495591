import type { Attack, LabFigures } from './lab-runs.js';
import { quantile } from './replay.js';

const SPEED_ORDER = ['slow', 'normal', 'fast'];
/** Written behind the speed of a row that a document keeps. */
const EARLIER = ', earlier';

/** Of which runs the figures are: brought up to date with each measurement. */
const RUNS = `Runs were made with seeds that no threshold was set on: 9601 (slow), 9602 (normal), 9603 (fast), 9604 to 9606 and, for \`ssh-many\`, 9801 (benign), 9608 (\`patient-turns\`, twenty minutes of
real time). Other work kept the two cores busy (load 6 to 48), but not beside the floods of hping3 at normal and fast speed and \`flood-amplifiers\` at normal speed
(seeds 9702, 9703), which were made again alone at a load below 2. Even so hping3 comes to 1600 and 5000 packets a second instead of 2000 and 10000, since it sleeps after each packet.
HTTP floods, \`reflector-dns\` and fast \`flood-amplifiers\` were not made again.
At slow speed the two of 100 SYNs in all were made twice (9601, 9701): a hundred are little more than the 80 a second that are looked for, and once
they fell into two of the detector's seconds, the first of which had too few SYNs and the second too few sources; now either second's sources do. \`dns-tunnel\` was made twice, too: 15 s (9601) are too short for the 40 names that the detector asks for, 60 s (9609) are not. What stays missed of \`flood-amplifiers\` at slow speed is
a hundred answers of name servers a second that nobody asked for in view: a resolver whose questions go another way gets as many. \`scan-sneaky\` (nmap -T1) takes its time for real, a probe every 15 s. Rows with "times 8" and the like are runs whose connections were moved apart
(\`test/lab/stretch.ts\`: every packet is one of the real tool or service, and what happens inside a connection takes the time it took), so that they last for
hours: here \`patient-turns\` and \`spray-ssh\`, whose sixty guesses then took 53 minutes.`;

const KEPT = `Rows marked as earlier are of runs before floods of networks, usual ports of file sharing and usual peers, and were not made again: seeds 8811 (\`patient-ssh\`, \`patient-ftp\`,
\`patient-turns\`) and 8821 and 8822 (guessing SSH, after the first refusal of a connection came to count). Not made again either, and no longer in the
rows made anew: \`patient-ssh\` and \`patient-ftp\` at their own pace, a guess every 33 to 48 s, and \`patient-turns\` at slow and normal speed. All were found but
\`patient-ssh\` at slow speed, cut off after an hour, when ncrack, which now and then waited twice as long as it was told, had made 52 guesses.`;

const SSH_TRIED = `With another seed (9802) at normal and fast speed 9 to 17 had been refused, and the alert came at most 0.03 s after the tenth. Tried besides, 80 guesses each: hydra (4 and 16 at once), ncrack (10), medusa (8) and a program with paramiko (10 threads) against OpenSSH with ChaCha20, AES-CTR, AES-GCM, different MACs,
an RSA key, a short and a long banner, passwords by PAM and at a prompt, and against Dropbear. Every guesser that could talk to the server was found: without PAM when 9 to 17 guesses
had been refused, at most 0.02 s after the tenth; with PAM, which answers after two seconds, when 9 to 22 had, at most 2.4 s after. At the same servers
143 benign runs were quiet: 20 logins at once by OpenSSH, paramiko, AsyncSSH and curl, 12 by PuTTY and Dropbear, 12 with the right one of five keys, 6 with five wrong ones, four users who
mistype twice, ssh-keyscan. What this rests on: a prompt is sometimes as long as a refusal, and a banner comes in one segment with what follows it, a success too.`;

export const seconds = (values: readonly number[], q: number): string =>
  values.length === 0 ? '–' : `${quantile(values, q).toFixed(2)} s`;

/** The text about lab runs. @param before the text that stands in the document: rows without a new run stay, marked. */
export function labSection(lab: LabFigures, before: string): string {
  const rows = tableRows(lab.attacks);
  const kept = earlierRows(before).filter(([key]) => !rows.has(key.replace(EARLIER, '')));
  const table = [...rows, ...kept].sort(([a], [b]) => compareKeys(a, b)).map(([, row]) => row);
  const missed = missedLines(lab.attacks);
  const { benign } = lab;
  const hours = benign.secs / 3600;
  const perFlows = (lab.falseAlerts.length / Math.max(1, benign.flows)) * 10_000;
  return `### Lab evaluation runs

${lab.attackRuns} attack runs and ${benign.runs} benign runs, sources of role \`evaluate\` (disjoint from
training). Found means an alert of the right behaviour that names the source (or, where many share it, its network or
target). Time runs from the source's first packet of the attack to the alert; for \`failures\`-counting behaviours it contains
the attempts themselves. Counted is what a detector had counted at the alert, failed logins or intervals, at most.
0.00 s: the alert about the network or the target was there before the source's first packet.
${RUNS}
${slowText(lab.behind)}
| behaviour | speed | found / attacking | first packet to alert p50 | p95 | counted |
| --- | --- | --: | --: | --: | --: |
${table.join('\n')}

${missed.length === 0 ? 'Nothing was missed.' : `Missed:\n\n${missed.join('\n')}`}

${sshText(lab.ssh)}
${kept.length > 0 ? `${KEPT}\n` : ''}
${trickleText(lab.trickles)}
Benign runs: ${hours.toFixed(2)} hours, ${benign.flows} flows, ${benign.packets} packets; **${lab.falseAlerts.length} false alerts** (${(lab.falseAlerts.length / Math.max(hours, 1e-9)).toFixed(1)} an hour, ${perFlows.toFixed(2)} per
10,000 flows). ${actionText(lab.actions)}
${lab.falseAlerts.map((line) => `\n- ${line}`).join('')}
`;
}

/** One line a run and behaviour, however many sources it had. */
function missedLines(attacks: readonly Attack[]): string[] {
  const missed = grouped(
    attacks.filter((a) => !a.found),
    (a) => `- ${a.scenario} at ${a.speed} speed: ${a.label} by`,
  );
  return [...missed].map(([what, [first, ...others]]) =>
    others.length > 0 ? `${what} ${others.length + 1} sources` : `${what} ${first?.source ?? ''}`,
  );
}

function grouped(attacks: readonly Attack[], keyOf: (attack: Attack) => string): Map<string, Attack[]> {
  const groups = new Map<string, Attack[]>();
  for (const attack of attacks) groups.set(keyOf(attack), [...(groups.get(keyOf(attack)) ?? []), attack]);
  return groups;
}

/** Rows of the table by behaviour and speed. */
function tableRows(attacks: readonly Attack[]): Map<string, string> {
  const groups = grouped(attacks, (a) => `${a.label} | ${a.speed}`);
  const row = (key: string, list: readonly Attack[]): string => {
    const times = list.flatMap((a) => (a.secs === undefined ? [] : [a.secs]));
    const found = list.filter((a) => a.found).length;
    const counts = list.flatMap((a) => (a.counted === undefined ? [] : [a.counted]));
    const counted = counts.length === 0 ? '' : Math.max(...counts);
    return `| ${key} | ${found} / ${list.length} | ${seconds(times, 0.5)} | ${seconds(times, 0.95)} | ${counted} |`;
  };
  return new Map([...groups].map(([key, list]) => [key, row(key, list)]));
}

/** Rows of the table in a document, each marked as one of earlier runs. */
function earlierRows(text: string): [string, string][] {
  return text.split('\n').flatMap((line): [string, string][] => {
    const [, label = '', speed = '', ...cells] = line.split('|').map((cell) => cell.trim());
    const isFound = cells[0]?.includes(' / ') === true;
    if (!isFound || !SPEED_ORDER.some((name) => speed.startsWith(name))) return [];
    const key = `${label} | ${speed.replace(EARLIER, '')}${EARLIER}`;
    return [[key, `| ${key} | ${cells.join(' | ').trim()}`]];
  });
}

function compareKeys(a: string, b: string): number {
  const [x = '', s = ''] = a.split(' | ');
  const [y = '', t = ''] = b.split(' | ');
  const place = (speed: string): number => SPEED_ORDER.findIndex((name) => speed.startsWith(name));
  return x.localeCompare(y) || place(s) - place(t) || s.localeCompare(t);
}

/** Tools that a busy machine kept from sending what they were told. */
function slowText(behind: LabFigures['behind']): string {
  if (behind.length === 0) return '';
  const lines = behind.map(
    (run) =>
      `- ${run.scenario} at ${run.speed} speed: ${Math.round(run.ratePps)} packets a second instead of ${run.toldPps}`,
  );
  return `\nOther work kept the machine busy, and these tools came to less than half of their rate:\n\n${lines.join('\n')}\n`;
}

/** How soon guessing of SSH passwords is told. */
function sshText(runs: LabFigures['ssh']): string {
  if (runs.length === 0) return '';
  const rows = runs.map(
    (run) =>
      `| ${run.scenario} | ${run.speed} | ${run.counted} | ${run.refused} | ${run.secsAfterTenth.toFixed(3)} s |`,
  );
  return `SSH logins are encrypted; what is refused is read from the lengths of messages, also on connections that are still open. The alert came when this had been counted, and
this had really been refused (hydra's first connection only asks for the methods, and counts as one):

| run | speed | counted at the alert | guesses refused by then | alert after the tenth |
| --- | --- | --: | --: | --: |
${rows.join('\n')}

${SSH_TRIED}
`;
}

/** Flooding tools at a rate that floods nothing. */
function trickleText(trickles: LabFigures['trickles']): string {
  if (trickles.length === 0) return '';
  const found = trickles.filter((a) => a.found).length;
  return `No floods, and not in the table: ${trickles.map((a) => `\`${a.scenario}\``).join(', ')} at slow speed send 200 packets a second,
${found === 0 ? 'and nothing is reported' : `and ${found} of these runs ${found === 1 ? 'is' : 'are'} reported`}. A call has 50 packets a second each way, a camera or a log server several hundred one way
(\`udp_per_sec\` is 3000), and the web server beside them answers as before: on a busy machine a page took 0.13, 0.09 and 0.15 ms (median; 0.09 ms without) at
200, 2,000 and 10,000 UDP packets a second, and 0.09 ms at each of these rates of ICMP (\`npx tsx test/lab/flood-effect.ts\`). Echo requests that go on are another thing, since nothing
benign sends them: they are found from 100 a second on.
`;
}

/** What would have been done to benign sources. */
export function actionText(actions: readonly string[]): string {
  const by = 'The shipped policies, in enforce mode and with nothing protected or allowed,';
  return actions.length === 0
    ? `${by} do nothing to a benign source.`
    : `${by} act on ${actions.length} benign source${actions.length === 1 ? '' : 's'}: ${actions.join('; ')}.`;
}
