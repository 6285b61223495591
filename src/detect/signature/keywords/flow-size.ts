import type { FlowColumns } from '../../../domain/flow.js';
import { inRange, parseRange } from '../parse/number.js';
import type { FlowTest, NumberRange } from '../rule.js';
import type { Keyword } from './payload.js';

type Column = (flows: FlowColumns) => { readonly [slot: number]: number };

const PACKETS: readonly [Column, Column] = [(f) => f.packetsFwd, (f) => f.packetsBwd];
const BYTES: readonly [Column, Column] = [(f) => f.bytesFwd, (f) => f.bytesBwd];

/** Of one side: that the flow began with the server's packet turns both about. */
function oneSide(columns: readonly [Column, Column], side: 0 | 1, range: NumberRange): FlowTest {
  return ({ flows, slot, app }) => {
    const column = columns[app?.isReversed === true ? 1 - side : side]!;
    return inRange(range, column(flows!)[slot]!);
  };
}

/** `toserver,>5`, `toclient,1-3`, `either,10`. */
function sized(columns: readonly [Column, Column]): Keyword {
  return (b, value) => {
    const [side = '', range = '', more] = value.split(',').map((part) => part.trim());
    if (more !== undefined || !/^(toserver|toclient|either)$/.test(side))
      throw new Error('needs toserver, toclient or either, and a number or range');
    const [forward, backward] = ([0, 1] as const).map((s) => oneSide(columns, s, parseRange(range)));
    b.needsPacket = true;
    if (side === 'either') b.rule.flowTests.push((scene) => forward!(scene) || backward!(scene));
    else b.rule.flowTests.push(side === 'toserver' ? forward! : backward!);
  };
}

function ofSide(columns: readonly [Column, Column], side: 0 | 1): Keyword {
  return (b, value) => {
    b.needsPacket = true;
    b.rule.flowTests.push(oneSide(columns, side, parseRange(value)));
  };
}

/** Keywords about a flow's age and how much of it was seen, the packet at hand with it. */
export const FLOW_SIZE_KEYWORDS: Readonly<Record<string, Keyword>> = {
  'flow.age': (b, value) => {
    const range = parseRange(value, 0xffffffff);
    b.needsPacket = true;
    // The difference of whole seconds, as Suricata counts.
    b.rule.flowTests.push(({ flows, slot, nowUs }) =>
      inRange(range, Math.floor(nowUs / 1_000_000) - Math.floor(flows!.startUs[slot]! / 1_000_000)),
    );
  },
  'flow.pkts': sized(PACKETS),
  'flow.pkts_toserver': ofSide(PACKETS, 0),
  'flow.pkts_toclient': ofSide(PACKETS, 1),
  'flow.bytes': sized(BYTES),
  'flow.bytes_toserver': ofSide(BYTES, 0),
  'flow.bytes_toclient': ofSide(BYTES, 1),
};
