import { ref, type Ref } from 'vue';
import type { LiveTopic, LiveUpdate } from './types';

export const TOPICS: readonly LiveTopic[] = ['alerts', 'incidents', 'decisions', 'status', 'stats', 'training'];

export type LiveState = 'connecting' | 'live' | 'waiting' | 'stopped';

export interface LiveDeps {
  url: string;
  /** A valid access token; asked again at each connection. */
  token: () => Promise<string>;
  onMessage: (message: LiveUpdate) => void;
  /** Messages were missed: whatever is on the screen must be fetched again. */
  onResync: () => void;
  /** The server no longer takes the token: the session may have been ended. */
  onRefused: () => void;
  WebSocket?: typeof WebSocket;
  setTimeout?: (run: () => void, ms: number) => number;
  clearTimeout?: (id: number) => void;
  random?: () => number;
}

/** Close code of the contract: no or bad token, or the session has ended. */
const REFUSED = 4401;
const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 20_000;
/** The server says something every second; this long without a word means that it hangs or the line is dead. */
const SILENCE_MS = 15_000;

/**
 * The live feed: authenticates with its first message, resumes after the last `seq` it saw, reconnects with
 * growing, jittered pauses, and asks for a refetch when the server could not replay what was missed.
 */
export function createLiveFeed(deps: LiveDeps) {
  const Socket = deps.WebSocket ?? WebSocket;
  const later = deps.setTimeout ?? ((run, ms) => window.setTimeout(run, ms));
  const cancel = deps.clearTimeout ?? ((id) => window.clearTimeout(id));
  const random = deps.random ?? Math.random;

  const state: Ref<LiveState> = ref('stopped');
  let socket: WebSocket | null = null;
  let lastSeq = 0;
  let attempts = 0;
  let retryTimer = 0;
  let silenceTimer = 0;
  let wanted = false;

  function start(): void {
    if (wanted) return;
    wanted = true;
    attempts = 0;
    void connect();
  }

  function stop(): void {
    wanted = false;
    lastSeq = 0;
    cancel(retryTimer);
    cancel(silenceTimer);
    socket?.close(1000);
    socket = null;
    state.value = 'stopped';
  }

  async function connect(): Promise<void> {
    state.value = 'connecting';
    let token: string;
    try {
      token = await deps.token();
    } catch {
      retry();
      return;
    }
    if (!wanted) return;
    const opened = new Socket(deps.url);
    socket = opened;
    opened.onopen = () => {
      opened.send(
        JSON.stringify({ type: 'auth', token, topics: [...TOPICS], ...(lastSeq > 0 ? { since: lastSeq } : {}) }),
      );
      listenForSilence();
    };
    opened.onmessage = (event: MessageEvent) => {
      if (socket === opened) receive(String(event.data));
    };
    opened.onclose = (event: CloseEvent) => {
      if (socket !== opened) return;
      socket = null;
      cancel(silenceTimer);
      if (event.code === REFUSED) deps.onRefused();
      if (wanted) retry();
    };
  }

  /** Hands a newer access token to the open connection, so that the feed outlives the first one. */
  function renew(token: string): void {
    if (state.value === 'live') socket?.send(JSON.stringify({ type: 'renew', token }));
  }

  function receive(text: string): void {
    listenForSilence();
    let message: Record<string, unknown>;
    try {
      message = JSON.parse(text) as Record<string, unknown>;
    } catch {
      return;
    }
    const seq = typeof message['seq'] === 'number' ? message['seq'] : 0;
    switch (message['type']) {
      case 'hello':
        attempts = 0;
        state.value = 'live';
        // A counter that went back means a restarted server: nothing before it can be replayed.
        if (lastSeq > 0 && seq < lastSeq) deps.onResync();
        if (lastSeq === 0 || seq < lastSeq) lastSeq = seq;
        return;
      case 'resync':
        if (seq > 0) lastSeq = seq;
        deps.onResync();
        return;
      case 'created':
      case 'updated':
      case 'removed':
        if (seq > 0) {
          if (seq <= lastSeq) return;
          lastSeq = seq;
        }
        deps.onMessage(message as unknown as LiveUpdate);
    }
  }

  function retry(): void {
    state.value = 'waiting';
    const ceiling = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** attempts);
    attempts += 1;
    cancel(retryTimer);
    retryTimer = later(() => void connect(), ceiling / 2 + (random() * ceiling) / 2);
  }

  function listenForSilence(): void {
    cancel(silenceTimer);
    silenceTimer = later(() => socket?.close(4000, 'silent'), SILENCE_MS);
  }

  return { state, start, stop, renew, lastSeq: () => lastSeq };
}

export type LiveFeed = ReturnType<typeof createLiveFeed>;
