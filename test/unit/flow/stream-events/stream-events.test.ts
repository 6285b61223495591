import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { STREAM_EVENTS, type StreamEvent } from '../../../../src/domain/stream-event.js';
import { createStreamEvents } from '../../../../src/flow/stream-events/index.js';
import { flowColumns, parsePacket, play, type ScriptOptions } from './script.js';

const SYN = '> S 0';
const OPEN = `${SYN}; < SA 0 1; > A 1 1`;
/** Ten bytes each way, all acknowledged. */
const TALK = `${OPEN}; > PA 1 1 +10; < PA 1 11 +10; > A 11 11`;
/** The client has ended, the server knows. */
const HALF = `${TALK}; > FA 11 11; < A 11 12`;
/** The server has ended first. */
const SERVER_ENDED = `${TALK}; < FA 11 11`;
const SERVER_HALF = `${SERVER_ENDED}; > A 11 12`;
const FOUR = `${SYN}; < S 0`;
/** A reset that answers a SYN has the sequence number 0 (RFC 9293 3.10.7.1). */
const REFUSED = '< RA -9000000 1';
const STAMPED = '> S 0 - t=100/0; < SA 0 1 t=500/100; > A 1 1 t=101/500';

/** What the last packet tells, and the near miss whose packets must not tell it. */
const TABLE: [StreamEvent, told: string, nearMiss: string, ScriptOptions?][] = [
  ['3whs_ack_data_inject', `${SYN}; < SA 0 1; < PA 1 1 +10`, `${OPEN}; < PA 1 1 +10`, { inline: true }],
  ['3whs_ack_in_wrong_dir', `${SYN}; < SA 0 1; < A 1 1`, `${OPEN}; < A 1 1`, { inline: true }],
  ['3whs_async_wrong_seq', `${SYN}; > A 7 1`, `${SYN}; > A 1 1`, { asyncOneside: true }],
  ['3whs_right_seq_wrong_ack_evasion', `${SYN}; < SA 0 1; > A 1 9`, OPEN],
  ['3whs_syn_flood', stampedSyns(12), stampedSyns(11)],
  ['3whs_syn_resend_diff_seq_on_syn_recv', `${SYN}; < SA 0 1; > S 9`, `${SYN}; < SA 0 1; > S 0`],
  ['3whs_syn_toclient_on_syn_recv', `${SYN}; < SA 0 1; < S 0`, `${SYN}; < S 0`],
  ['3whs_synack_flood', synAcks(6), synAcks(5)],
  ['3whs_synack_in_wrong_direction', `${SYN}; > SA 0 1`, `${SYN}; < SA 0 1`],
  ['3whs_synack_resend_with_different_ack', `${SYN}; < SA 0 1; < SA 0 2`, `${SYN}; < SA 0 1; < SA 0 1`],
  ['3whs_synack_tfo_data_ignored', '> S 0 - +20 tfo; < SA 0 1', '> S 0 - +20 tfo; < SA 0 21'],
  ['3whs_synack_toserver_on_syn_recv', `${SYN}; < SA 0 1; > SA 0 1`, `${SYN}; < SA 0 1; < SA 0 1`],
  ['3whs_synack_with_wrong_ack', `${SYN}; < SA 0 5`, `${SYN}; < SA 0 1`],
  ['3whs_wrong_seq_wrong_ack', `${SYN}; < SA 0 1; > A -90 9`, OPEN],
  ['4whs_invalid_ack', `${FOUR}; > SA 0 1; < A 1 90000`, `${FOUR}; > SA 0 1; < A 1 1`],
  ['4whs_synack_with_wrong_ack', `${FOUR}; > SA 0 9`, `${FOUR}; > SA 0 1`],
  ['4whs_synack_with_wrong_syn', `${FOUR}; > SA 9 1`, `${FOUR}; > SA 0 1`],
  ['4whs_wrong_seq', `${FOUR}; > SA 0 1; < A 9 1`, `${FOUR}; > SA 0 1; < A 1 1`],
  ['closewait_ack_out_of_window', `${HALF}; < PA 80000 12 +10`, `${HALF}; < PA 11 12 +10`],
  ['closewait_fin_out_of_window', `${HALF}; < FA 80000 12`, `${HALF}; < FA 11 12`],
  ['closewait_invalid_ack', `${HALF}; < A 11 90000`, `${HALF}; < A 11 12`],
  ['closewait_pkt_before_last_ack', `${HALF}; < PA 1 12 +10`, `${HALF}; < PA 11 12 +10`],
  ['closing_ack_wrong_seq', `${SERVER_ENDED}; > F 11 -; > A 19 12`, `${SERVER_ENDED}; > F 11 -; > A 11 12`],
  ['closing_invalid_ack', `${SERVER_ENDED}; > F 11 -; > A 11 90000`, `${SERVER_ENDED}; > F 11 -; > A 11 12`],
  [
    'est_ack_zwp_data',
    `${TALK}; < A 11 11 w=0; > PA 11 11 +1; < A 11 12`,
    `${TALK}; < A 11 11; > PA 11 11 +1; < A 11 12`,
  ],
  ['est_invalid_ack', `${TALK}; > A 11 90000`, `${TALK}; > A 11 11`],
  ['est_packet_out_of_window', `${TALK}; > PA 80000 11 +10`, `${TALK}; > PA 60000 11 +10`],
  ['est_pkt_before_last_ack', `${TALK}; > A 1 11`, `${TALK}; > A 11 11`],
  ['est_syn_resend', `${TALK}; > S 0`, `${SYN}; < SA 0 1; > S 0`],
  ['est_syn_resend_diff_seq', `${TALK}; > S 9`, `${TALK}; > S 0`],
  ['est_syn_toclient', `${TALK}; < S 0`, `${TALK}; > S 0`],
  ['est_synack_resend', `${OPEN}; < A 1 1; < SA 0 1`, `${OPEN}; < SA 0 1`],
  ['est_synack_resend_with_diff_seq', `${OPEN}; < A 1 1; < SA 9 1`, `${OPEN}; < A 1 1; < SA 0 1`],
  ['est_synack_resend_with_different_ack', `${OPEN}; < A 1 1; < SA 0 9`, `${OPEN}; < A 1 1; < SA 0 1`],
  ['est_synack_toserver', `${TALK}; > SA 0 1`, `${TALK}; < SA 0 11`],
  ['fin1_ack_wrong_seq', `${SERVER_ENDED}; > A 80000 12`, SERVER_HALF],
  ['fin1_fin_wrong_seq', `${SERVER_ENDED}; > FA 1 12`, `${SERVER_ENDED}; > FA 11 12`],
  ['fin1_invalid_ack', `${SERVER_ENDED}; > A 11 90000`, SERVER_HALF],
  ['fin2_ack_wrong_seq', `${SERVER_HALF}; > PA 80000 12 +10`, `${SERVER_HALF}; > PA 11 12 +10`],
  ['fin2_fin_wrong_seq', `${SERVER_HALF}; > FA 5 11`, `${SERVER_HALF}; > FA 11 12`],
  ['fin2_invalid_ack', `${SERVER_HALF}; > A 11 90000`, `${SERVER_HALF}; > A 11 12`],
  ['fin_but_no_session', '> FA 11 11', '> A 11 11'],
  ['fin_invalid_ack', `${TALK}; > FA 11 90000`, `${TALK}; > FA 11 11`],
  ['fin_out_of_window', `${TALK}; > FA 5 11`, `${TALK}; > FA 11 11`],
  ['fin_syn', `${TALK}; > SF 11 -`, `${TALK}; > F 11 -`],
  ['lastack_ack_wrong_seq', `${HALF}; < FA 11 12; > A 19 12`, `${HALF}; < FA 11 12; > A 12 12`],
  ['lastack_invalid_ack', `${HALF}; < FA 11 12; > A 12 90000`, `${HALF}; < FA 11 12; > A 12 12`],
  ['pkt_bad_window_update', `${TALK}; > A 60 60 w=10`, `${TALK}; > A 11 11 w=10`],
  ['pkt_broken_ack', '> S 0 7', '> S 0 -'],
  ['pkt_invalid_ack', `${TALK}; > A 11 90000`, `${TALK}; > A 11 11`],
  ['pkt_invalid_timestamp', `${STAMPED}; > PA 1 1 +10 t=50/500`, `${STAMPED}; > PA 1 1 +10 t=100/500`],
  ['pkt_retransmission', `${HALF}; < PA 11 12 +10; < PA 11 12 +10`, `${HALF}; < PA 11 12 +10; < PA 21 12 +10`],
  ['pkt_spurious_retransmission', `${TALK}; > PA 1 11 +10`, `${TALK}; > PA 1 11 +11`],
  [
    'reassembly_overlap_different_data',
    `${OPEN}; > PA 1 1 +10 =a; > PA 5 1 +10 =b`,
    `${OPEN}; > PA 1 1 +10; > PA 5 1 +10`,
  ],
  ['reassembly_seq_gap', `${OPEN}; > PA 9 1 +10; < A 1 19`, `${OPEN}; > PA 9 1 +10; > PA 1 1 +8; < A 1 19`],
  ['rst_but_no_session', '> R 11 -', '> A 11 11'],
  ['rst_invalid_ack', `${TALK}; < RA 11 90000`, `${TALK}; < RA 11 11`],
  ['rst_with_data', `${TALK}; < RA 11 11 +5`, `${TALK}; < RA 11 11`],
  ['shutdown_syn_resend', `${SERVER_ENDED}; > S 0`, `${TALK}; > S 0`],
  ['suspected_rst_inject', `${SYN}; ${REFUSED}; < SA 0 1`, `${SYN}; ${REFUSED}; ${REFUSED}`],
  ['timewait_ack_wrong_seq', `${SERVER_HALF}; > FA 11 12; < A 80 12`, `${SERVER_HALF}; > FA 11 12; < A 12 12`],
  ['timewait_invalid_ack', `${SERVER_HALF}; > FA 11 12; < A 12 90000`, `${SERVER_HALF}; > FA 11 12; < A 12 12`],
];

function stampedSyns(n: number): string {
  return Array.from({ length: n }, (_, i) => `> S 0 - t=${100 + i}/0`).join(';');
}
function synAcks(others: number): string {
  return [SYN, '< SA 0 1', ...Array.from({ length: others }, (_, i) => `< SA ${10 + i} 1`)].join(';');
}

/** Told by reassembly itself, of its memory and limits. */
const TOLD_BY_REASSEMBLY: readonly StreamEvent[] = [
  'reassembly_depth_reached',
  'reassembly_insert_limit',
  'reassembly_insert_memcap',
  'reassembly_no_segment',
];

describe('oddities of TCP connections', () => {
  it('have a case each', () => {
    const cases = [...TABLE.map(([event]) => event), ...TOLD_BY_REASSEMBLY];
    assert.deepEqual(cases.sort(), [...STREAM_EVENTS].sort());
  });

  for (const [event, told, nearMiss, options] of TABLE) {
    it(`tell ${event} of the packet that shows it, and not of one that comes near`, () => {
      const events = play(told, options);
      assert.ok(events.at(-1)!.includes(event), `${told} told ${JSON.stringify(events)}`);
      assert.ok(!events.slice(0, -1).flat().includes(event), 'told too early');
      assert.ok(!play(nearMiss, options).flat().includes(event), `${nearMiss} told it`);
    });
  }

  it('are none in an ordinary connection, whoever ends it, across the wrap of sequence numbers', () => {
    const endings = [
      '> FA 11 11; < A 11 12; < FA 11 12; > A 12 12',
      '< FA 11 11; > A 11 12; > FA 11 12; < A 12 12',
      '> FA 11 11; < FA 11 12; > A 12 12',
      '> RA 11 11',
    ];
    for (const ending of endings) assert.deepEqual(play(`${TALK}; ${ending}`).flat(), [], ending);
    for (const first of [
      [3_515_274_262, 3_209_506_963],
      [2 ** 32 - 5, 2 ** 31 - 5],
    ] as const)
      // prettier-ignore
      assert.deepEqual(play(`${TALK}; ${endings[0]}`, { first }).flat(), [], String(first));
    assert.deepEqual(play(`${STAMPED}; > PA 1 1 +10 t=102/500; < A 1 11 t=501/102`).flat(), []);
  });

  it('count SYNs that each have another number, not those sent again', () => {
    const syns = (numbers: number[]): string => numbers.map((n) => `> S ${n}`).join(';');
    const others = Array.from({ length: 12 }, (_, i) => 1000 * i);
    assert.deepEqual(
      play(syns(others)).map((e) => e.length),
      [...Array<number>(11).fill(0), 1],
    );
    assert.deepEqual(play(syns(others.map((n) => n % 5000))).flat(), []);
    assert.deepEqual(play(`${syns([0, 5000, 7000])}; < SA 0 5001; > A 5001 1`).flat(), []);
  });

  it('are looked for from the first packet of a flow on', () => {
    const watch = createStreamEvents({ stream: {} });
    const { packet, direction } = parsePacket('> R 1 -');
    watch.onPacket(packet, { flows: flowColumns(), slot: 0, direction, isNew: false }, []);
    assert.deepEqual(watch.events, []);
    assert.equal(watch.size, 0);
  });

  it('of a SYN that does not begin a new connection belong to the old one, whose flow the flow table has ended', () => {
    for (const [seq, isOld] of [
      [0, true],
      [777, false],
    ] as const) {
      const watch = createStreamEvents({ stream: {} });
      const flows = flowColumns();
      const push = (line: string, slot: number, isNew: boolean): void => {
        const { packet, direction } = parsePacket(line);
        watch.onPacket(packet, { flows, slot, direction, isNew }, []);
      };
      HALF.split(';').forEach((line, n) => {
        push(line, 0, n === 0);
      });
      watch.onFlowEnd(flows, 0, 'closed');
      push(`> S ${seq}`, 0, true);
      assert.deepEqual(watch.events, isOld ? ['shutdown_syn_resend'] : []);
      assert.equal(watch.size, 1);
    }
  });

  it('take what reassembly tells of packets that count, not of others', () => {
    const watch = createStreamEvents({ stream: {} });
    const flows = flowColumns();
    const lines = [...OPEN.split(';'), '> PA 1 1 +10', '> PA 90000 1 +10'];
    const told = lines.map((line, n) => {
      const { packet, direction } = parsePacket(line);
      watch.onPacket(packet, { flows, slot: 0, direction, isNew: n === 0 }, ['reassembly_depth_reached']);
      return [...watch.events];
    });
    assert.deepEqual(told.slice(-2), [['reassembly_depth_reached'], ['est_packet_out_of_window']]);
  });
});
