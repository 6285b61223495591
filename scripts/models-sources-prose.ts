/** What the table of networks that were not seen shows and why, as prose for docs/models.md; every figure in it was measured. */
export const WHY = `What made the difference to earlier versions of this table, in which 14.4 % of benign flows and 64 % of scans were reported:

- **Half of the trees are monotone.** A forest had taken 4,990 hosts asked within ten seconds, none of which answered, for
  benign (score 0.14): no run of the lab was that fast, and the nearest leaf with hundreds of hosts was a peer-to-peer
  client. In a monotone tree more ports, hosts, failures or sources never lower the score. Monotone trees alone report
  monitoring systems (20 % of their flows) and peer-to-peer clients, which are benign although they do more of something;
  so every second tree is free to learn them.
- **Apps that poll a small server are in the lab.** Nearly all benign flows of iot-sentinel that were reported came from one
  device (HueSwitch, an app that asks its bridge several times a second, on a new connection each time): the lab knew
  that pattern from password guessing over HTTP alone.
- **More kinds of scans and floods are in the lab:** masscan within a network and from an infected device to the outside,
  crafted packets at the pace of a clock, amplified answers from forged sources.
- **The threshold is chosen on networks not trained on.** On other captures of the networks that trained, half a percent
  is spent at a lower score than on a network never seen.
- **Sizes and pace of packets are left out.** They differ more from network to network than from benign to hostile.
- **Protocols without any attack in the training are not scored.** Most alarms were multicast memberships (IGMP).

**Slow HTTP is a tie, and the draw decides it.** The table by seed is of schema 2; what follows was measured with schema 1. The one capture of others (doup123) is of one direction: connections of some
500 sources, of which the server's answers were never recorded, so that every SYN of a busy server looks unanswered. Nothing
that trains looks so, and either half of the forest is of two minds: monotone trees alone give the flows a median of 0.56, free
ones alone 0.48 (seed 3). No size of forest settles it: percent reported with seeds 1, 2 and 3
at 50 trees 99.3, 99.3, 40.1; at 100 trees 40.1, 99.3, 69.3; at 200 trees 40.1, 99.3, 99.3; at 50 trees of 384 leaves 99.3,
99.3, 40.1, of 96 leaves 99.3, 99.3, 70.2; at 100 trees of 96 leaves 55.7, 99.3, 99.3; with three monotone trees of five 40.1,
99.3, 70.2. Bagging of seeds does not: the mean of two forests gives 99.3 (1 and 2, 1 and 3, 2 and 3), 55.7 (1 and 4, 2 and 4) and 40.1
(3 and 4), of all four 99.3. No threshold settles it either: the least that stays within
the budget of benign flows (the table above) reports 99.3 with seeds 1 to 3 and 40.1 with seed 4, and 0.45 for all would cost 0.53 %
of benign flows with seed 4. The behaviour tier names 99.3 % of
these flows whatever the seed. Runs of slow HTTP from 12, 24 and 48 sources
in the lab moved it by nothing (99.3, 99.3, 40.1). Teaching one direction (vectors of 114 lab runs without the answers) makes it
benign (0.0 with each seed) and costs the benign flows of zeek-traces 1.4 %: a server seen from one side is
mostly a server. A sensor should see both directions.

Windows over the target are among the features: connections, distinct sources, SYNs without answer and refusals of the last
ten seconds (\`dst_*\`), which is how floods from forged sources on one target are found (doup123, stopddos).

**Newcomers of the whole network** are what feature schema 2 added (\`newcomers_unanswered\`), for 100 SYNs of 100 forged sources to
as many targets within 16 ms (markofu/dosattack), in which no source, no pair and no target has a history: 0 % of them were
reported, and 97.37 % of all floods. The feature alone does not do it, nor do runs of the lab alone; what was tried in turn, with this
table in sight, percent reported in the captures that train nothing, seed 1:

| features and lab | flood | port_scan | host_sweep | slow_http | benign: foreign | zeek-traces |
| --- | --: | --: | --: | --: | --: | --: |
| schema 1 (85 features) | 90.92 | 99.95 | 78.82 | 99.30 | 0.25 | 0.91 |
| schema 1, benign runs that nobody answers | 90.92 | 99.95 | 79.09 | 99.30 | 1.11 | 0.77 |
| newcomers, those runs | 90.92 | 99.95 | 79.09 | 42.90 | 1.11 | not measured |
| newcomers, those runs, floods spread over a /24 and over the world | 100.00 | 99.95 | 81.25 | 42.90 | 1.11 | 1.31 |
| the same and unanswered flows of a source, whatever the protocol | 100.00 | 99.95 | 82.44 | 42.90 | 5.32 | 1.00 |
| newcomers, those runs, the flood over the world alone, botnets, runs of amplifiers (as shipped) | 100.00 | 99.90 | 78.82 | 99.30 | 0.25 | 0.45 |

- **Benign runs that nobody answers** (\`gone-hosts\`, \`newcomers\`, \`server-down\`): without them one unanswered SYN of somebody new is what only
  floods have. They showed something else: the classifier before took users of a web server that stops to answer for attackers.
- **Refused newcomers.** A flood over a /24 reaches hosts that are there, which refuse it; a lone refused connection then looked hostile
  (six short captures of zeek-traces). So the flood over a /24 trains nothing (it is found all the same), that over the world does, and some newcomers of the benign
  runs are refused.
- **Unanswered flows of a source**, which find more sweeps over UDP, report a peer-to-peer client (34 of 530 flows of markofu/gnutella) and
  are left out. Runs of a worm that sends datagrams (\`sweep-udp-worm\`) find no more of hs-udpScan (108 of 218 flows with and without, seed 1) and
  train nothing: the classifier before reported all of their flows.
- **A botnet's HTTP flood** (\`flood-http-botnet\`, a hundred sources at once) is in the lab since, with 50 flows a run: with 250 floods of
  amplified answers had less weight, and isakmp (stopddos) fell below 0.5 with seed 4.
- **Amplifiers that answer more than once** (\`flood-amplifiers\`: a pool of servers of one of seven protocols, 100, 1,000 or 8,000 answers a
  second, half of the victims silent). Before, the lab's amplified answers were of a new forged source each and half of their flows the victim's
  ICMP errors. With the share beside the windows of a target, which are all that such floods fill, the draw decided about amplifiers held out that answer twice
  (isakmp of stopddos): with seeds 1 to 4 99.80, 93.00, 99.80 and 91.64 % of all floods were reported in one build, 84.86 % in another (seed 1).
  With twelve such runs those flows have a median score of 0.91, 0.92, 0.93 and 0.91, and all of them are reported with each seed.
- **Not first flows alone.** Every unanswered flow of a source that is new has the share, not its first one only: amplifiers send more than one flow.

On runs of the lab with sources and seeds that trained nothing (role evaluate, seeds 521 to 523 and, of amplifiers, 621 to 623, the three speeds), vectors reported, %:

| run | vectors | schema 1 | shipped |
| --- | --: | --: | --: |
| gone-hosts (benign) | 489 | 0.00 | 0.00 |
| newcomers (benign) | 5013 | 4.43 | 0.00 |
| server-down (benign) | 929 | 29.49 | 0.00 |
| flood-http-botnet | 18271 | 31.01 | 99.88 |
| flood-syn-carpet (no run trains) | 10618 | 89.18 | 94.03 |
| flood-syn-scattered | 9251 | 0.00 | 100.00 |
| flood-amplifiers | 20151 | 98.33 | 100.00 |

What the mistake would have cost: the shipped policies block nobody for what models alone say (policy \`model\` proposes, \`agreement\` wants a tier that is no
model), and propose nobody who has not proved its address, which a connection without an answer does not. In enforce mode the three \`server-down\` runs
gave 274 findings of the classifier of schema 1 and no decision, not even a proposal (\`portcullis analyze capture.pcap --set mode=enforce\`);
the shipped one gives none.

Where the aims are missed still, it is one capture each. Host sweeps: 194 flows of
one infected machine in five and a half hours (markofu/evilprogram), each of which carries the label and none of which a tier reports:
34 hosts of the outside try one to four ports of this one machine, which is what a worm's sweep looks like from one of its targets
(none of them asks a second host there), and the rest is mostly its own traffic. Of the four other sweeps 91.14 % are reported; the 110 flows
that are missed are of one sweep over UDP (hs-udpScan), whose probes nobody answers: what is counted as unanswered are SYNs.
Benign flows of zeek-traces: 10 of 2,208, in three short captures of a single test each (five of nine requests at once for a test of HTTP bodies); with other
draws eight DNS queries with client subnets as well.

What is missed: the first flows of a scan, before there is anything to count (the column of captures says whether the scan
is noticed); one endless ICMP flow; guessing at one
password every six seconds (zeek-traces); attacks of one flow (exploits, web attacks). A device that cannot reach its servers
asks five to twenty hosts and hears nothing: that is what the slow beginning of a sweep looks like, so slow sweeps are left
to the behaviour tier, which counts for longer. The behaviour and signature tiers are there for these.
`;
