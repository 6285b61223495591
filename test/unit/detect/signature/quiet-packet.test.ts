import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RuleGroups } from '../../../../src/detect/signature/groups.js';
import { isQuiet } from '../../../../src/detect/signature/quiet-packet.js';
import { FlowState, type AppView, type PacketContent } from '../../../../src/detect/signature/scene.js';
import type { Selection } from '../../../../src/detect/signature/selection.js';
import { StreamWindow } from '../../../../src/detect/signature/state/stream-window.js';
import { WindowMemory } from '../../../../src/detect/signature/state/window-memory.js';
import { DecodedPacket, PROTO } from '../../../../src/domain/packet.js';

const GROUPS = new RuleGroups([]);
const app = (isEncrypted: boolean): AppView => ({
  proto: 'tls',
  isDecided: true,
  isReversed: false,
  isEncrypted,
  sides: { known: [], settled: [], isFirst: false, take: () => [] } as unknown as AppView['sides'],
  transactions: [],
  release: () => undefined,
});

/** An acknowledgement of a connection of which everything was looked at. */
function quietScene() {
  const packet = new DecodedPacket();
  packet.proto = PROTO.TCP;
  const state = new FlowState();
  const stream = new StreamWindow(new WindowMemory(65_536), 1);
  state.streams[1] = stream;
  const chosen: Selection = {
    groups: GROUPS,
    app: 'tls',
    isReversed: false,
    header: [],
    protocol: [],
    payload: undefined,
    joined: undefined,
  };
  state.selections[0] = chosen;
  const content: PacketContent = { app: app(false), events: [], isValid: true, sentBytes: () => 0 };
  return { packet, state: state as FlowState | undefined, stream, chosen, content, groups: GROUPS };
}

type Scene = ReturnType<typeof quietScene>;
const judge = ({ packet, content, state, groups }: Scene): boolean => isQuiet(packet, 0, content, state, groups);

/** Each makes something of the scene worth a look. */
const REASONS: Record<string, (scene: Scene) => void> = {
  'a payload': ({ packet }) => (packet.payloadLen = 1),
  'an event of the stream': ({ content }) => (content.events = ['pkt_retransmission']),
  'no flow that is remembered': (scene) => (scene.state = undefined),
  'a packet of UDP': ({ packet }) => (packet.proto = PROTO.UDP),
  'rules that were not chosen yet': ({ state }) => (state!.selections[0] = undefined),
  'rules that were read anew': (scene) => (scene.groups = new RuleGroups([])),
  'a rule about headers': ({ chosen }) => (chosen.header = [1]),
  'a rule about the protocol alone': ({ chosen }) => (chosen.protocol = [1]),
  'a protocol that was not known': ({ chosen }) => (chosen.app = undefined),
  'new bytes of the other side': ({ stream }) => (stream.fresh = true),
  'the end of the other side': ({ stream }) => (stream.ended = true),
  'alerts that wait for a packet': ({ stream }) => (stream.repeats = []),
};

describe('a packet that no rule looks at', () => {
  it('is an acknowledgement of bytes that were looked at', () => {
    assert.equal(judge(quietScene()), true);
  });

  it('is a piece of what is encrypted', () => {
    const scene = quietScene();
    scene.packet.payloadLen = 1448;
    scene.content.app = app(true);
    assert.equal(judge(scene), true);
  });

  for (const [reason, change] of Object.entries(REASONS)) {
    it(`is none with ${reason}`, () => {
      const scene = quietScene();
      change(scene);
      assert.equal(judge(scene), false);
    });
  }
});
