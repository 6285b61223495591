import { beforeEach, describe, expect, it, vi } from 'vitest';
import { createLiveFeed } from '@/api/live';
import type { LiveUpdate } from '@/api/types';

class FakeSocket {
  static all: FakeSocket[] = [];
  sent: Record<string, unknown>[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  readonly url: string;
  constructor(url: string) {
    this.url = url;
    FakeSocket.all.push(this);
  }
  send(text: string): void {
    this.sent.push(JSON.parse(text) as Record<string, unknown>);
  }
  close(code = 1006): void {
    this.onclose?.({ code });
  }
  say(message: unknown): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
}

interface Timer {
  run: () => void;
  ms: number;
}

function setUp() {
  FakeSocket.all = [];
  const timers = new Map<number, Timer>();
  let nextId = 0;
  const messages: LiveUpdate[] = [];
  const onResync = vi.fn();
  const onRefused = vi.fn();
  let token = 'first';
  const feed = createLiveFeed({
    url: 'ws://box/api/v1/live',
    token: () => Promise.resolve(token),
    onMessage: (message) => messages.push(message),
    onResync,
    onRefused,
    WebSocket: FakeSocket as unknown as typeof WebSocket,
    setTimeout: (run, ms) => {
      nextId += 1;
      timers.set(nextId, { run, ms });
      return nextId;
    },
    clearTimeout: (id) => timers.delete(id),
    random: () => 1,
  });
  const fire = async (match: (timer: Timer) => boolean): Promise<number> => {
    const found = [...timers].find(([, timer]) => match(timer));
    if (!found) throw new Error('no such timer');
    timers.delete(found[0]);
    found[1].run();
    await Promise.resolve();
    await Promise.resolve();
    return found[1].ms;
  };
  const open = async (): Promise<FakeSocket> => {
    await Promise.resolve();
    await Promise.resolve();
    const socket = FakeSocket.all.at(-1);
    if (!socket) throw new Error('no socket');
    socket.onopen?.();
    return socket;
  };
  return { feed, messages, onResync, onRefused, timers, fire, open, setToken: (t: string) => (token = t) };
}

const created = (seq: number): unknown => ({ seq, topic: 'alerts', type: 'created', data: { id: String(seq) } });

describe('the live feed', () => {
  let world: ReturnType<typeof setUp>;
  beforeEach(() => {
    world = setUp();
  });

  it('authenticates with its first message and is live after hello', async () => {
    world.feed.start();
    const socket = await world.open();
    expect(socket.sent[0]).toEqual({
      type: 'auth',
      token: 'first',
      topics: ['alerts', 'incidents', 'decisions', 'status', 'stats', 'training'],
    });
    expect(world.feed.state.value).toBe('connecting');
    socket.say({ type: 'hello', seq: 7 });
    expect(world.feed.state.value).toBe('live');
  });

  it('resumes after the last message it saw', async () => {
    world.feed.start();
    const first = await world.open();
    first.say({ type: 'hello', seq: 7 });
    first.say(created(8));
    first.say(created(9));
    first.close();
    expect(world.feed.state.value).toBe('waiting');
    world.setToken('second');
    await world.fire((t) => t.ms < 60_000);
    const second = await world.open();
    expect(second.sent[0]).toMatchObject({ token: 'second', since: 9 });
    second.say({ type: 'hello', seq: 12 });
    second.say(created(10));
    expect(world.messages.map((x) => x.seq)).toEqual([8, 9, 10]);
    expect(world.onResync).not.toHaveBeenCalled();
  });

  it('says so when the server refuses the token, and not when the line merely breaks', async () => {
    world.feed.start();
    const first = await world.open();
    first.say({ type: 'hello', seq: 7 });
    first.close();
    expect(world.onRefused).not.toHaveBeenCalled();
    await world.fire((t) => t.ms < 60_000);
    (await world.open()).close(4401);
    expect(world.onRefused).toHaveBeenCalledTimes(1);
  });

  it('drops what it has already seen', async () => {
    world.feed.start();
    const socket = await world.open();
    socket.say({ type: 'hello', seq: 7 });
    socket.say(created(8));
    socket.say(created(8));
    socket.say(created(6));
    expect(world.messages.map((x) => x.seq)).toEqual([8]);
  });

  it('asks for a refetch on resync and goes on from there', async () => {
    world.feed.start();
    const socket = await world.open();
    socket.say({ type: 'hello', seq: 7 });
    socket.say({ type: 'resync', seq: 900 });
    expect(world.onResync).toHaveBeenCalledTimes(1);
    expect(world.feed.lastSeq()).toBe(900);
  });

  it('asks for a refetch when the server has started over', async () => {
    world.feed.start();
    const first = await world.open();
    first.say({ type: 'hello', seq: 500 });
    first.close();
    await world.fire((t) => t.ms < 60_000);
    (await world.open()).say({ type: 'hello', seq: 2 });
    expect(world.onResync).toHaveBeenCalledTimes(1);
    expect(world.feed.lastSeq()).toBe(2);
  });

  it('waits longer after each failure, up to 20 s, and starts over after success', async () => {
    world.feed.start();
    const pauses: number[] = [];
    for (let i = 0; i < 8; i += 1) {
      (await world.open()).close();
      pauses.push(await world.fire((t) => t.ms < 60_000));
    }
    expect(pauses).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 20_000, 20_000]);
    const socket = await world.open();
    socket.say({ type: 'hello', seq: 1 });
    socket.close();
    expect(await world.fire((t) => t.ms < 60_000)).toBe(500);
  });

  it('closes a line that has gone silent', async () => {
    world.feed.start();
    const socket = await world.open();
    socket.say({ type: 'hello', seq: 1 });
    await world.fire((t) => t.ms === 15_000);
    expect(world.feed.state.value).toBe('waiting');
  });

  it('hands over a newer token only while it is live', async () => {
    world.feed.start();
    const socket = await world.open();
    world.feed.renew('early');
    socket.say({ type: 'hello', seq: 1 });
    world.feed.renew('later');
    expect(socket.sent.slice(1)).toEqual([{ type: 'renew', token: 'later' }]);
  });

  it('survives bytes that are not JSON', async () => {
    world.feed.start();
    const socket = await world.open();
    socket.onmessage?.({ data: '{' });
    socket.say({ type: 'hello', seq: 1 });
    expect(world.feed.state.value).toBe('live');
  });

  it('does not reconnect after it was stopped', async () => {
    world.feed.start();
    const socket = await world.open();
    socket.say({ type: 'hello', seq: 1 });
    world.feed.stop();
    expect(world.feed.state.value).toBe('stopped');
    expect([...world.timers.values()].filter((t) => t.ms < 60_000)).toEqual([]);
  });
});
