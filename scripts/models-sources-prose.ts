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

**Slow HTTP is a tie, and the draw decides it.** The one capture of others (doup123) is of one direction: connections of some
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

Where the aims are missed, it is one capture each. Floods: 100 SYNs of 100 forged sources to as many targets within 16 ms
(markofu/dosattack), in which no source, no pair and no target has a history; without it 99.80 %. Host sweeps: 194 flows of
one infected machine in five and a half hours (markofu/evilprogram), each of which carries the label and none of which a tier reports:
34 hosts of the outside try one to four ports of this one machine, which is what a worm's sweep looks like from one of its targets
(none of them asks a second host there), and the rest is mostly its own traffic. Of the four other sweeps 91.14 % are reported; the 110 flows
that are missed are of one sweep over UDP (hs-udpScan), whose probes nobody answers: what is counted as unanswered are SYNs.
Benign flows of zeek-traces: 20 of 2,208, in
five short captures of a single test each (eight DNS queries with client subnets, six requests that are repeated for a test of HTTP bodies).

What was tried against both, and is not shipped: features of flows that nothing answered, whatever their protocol (of a source, a pair and a
target, where what is built in counts SYNs), one of strangers (first flows of sources, in the whole network, that nobody answers),
and runs of the lab that spread forged SYNs over a network and over the world (\`flood-syn-carpet\`, \`flood-syn-scattered\`). With seed 1
every variant reports 100 % of the floods and 99.95 % of the scans in the captures that train nothing; what it costs are captures that
are short or of one direction, in which whatever comes is a stranger's and unanswered:

| features beside the shipped ones | host_sweep | slow_http | benign: zeek-traces | iot-sentinel |
| --- | --: | --: | --: | --: |
| none (shipped) | 78.82 | 99.30 | 0.91 | 0.15 |
| unanswered flows, their shares, strangers | 83.14 | 42.90 | 3.13 | 0.21 |
| strangers | 80.84 | 42.90 | 1.77 | 0.44 |
| strangers above twenty | 79.65 | 28.10 | 2.94 | 0.45 |
| strangers above twenty, unanswered flows of a source | 81.18 | 57.70 | 0.91 | not measured |

What is missed: the first flows of a scan, before there is anything to count (the column of captures says whether the scan
is noticed); floods of which every packet has its own source and target (markofu's); one endless ICMP flow; guessing at one
password every six seconds (zeek-traces); attacks of one flow (exploits, web attacks). A device that cannot reach its servers
asks five to twenty hosts and hears nothing: that is what the slow beginning of a sweep looks like, so slow sweeps are left
to the behaviour tier, which counts for longer. The behaviour and signature tiers are there for these.
`;
