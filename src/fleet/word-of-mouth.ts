import { z } from 'zod';
import { pause, type FleetBus, type Session } from './bus.js';
import type { Member } from './member.js';
import { speakerOf, SUBJECTS } from './names.js';
import type { Replica } from './replica.js';
import { proofOf, type Statement } from './seal.js';

/** What is not confirmed is said again so often: whoever was away then hears it without the bucket. */
const AGAIN_MS = 1000;
const MAX_AGAIN = 500;
/** Clocks of members differ: what was said this long before a member went away is told again. */
const CLOCKS_MS = 60_000;
/** As many as one member is told; the rest is in the bucket. */
const MAX_TOLD = 5000;
/** A question that nobody answers is put so often; the bucket has told by then. */
const MAX_ASKED = 30;
const MAX_MESSAGE_CHARS = 500_000;
/** Statements said before the NATS server is asked whether it has them. */
const MAX_LOT = 256;
/** It says so within this time, or is not waited for. */
const ANSWER_MS = 1000;

const askSchema = z.object({ sinceMs: z.number() });

export interface WordOfMouthDeps {
  member: Member;
  bus: FleetBus;
  replica: Replica;
  /** What the bucket has not confirmed yet. */
  pending(): Iterable<Statement>;
  /** @param isFresh it was said just now, not told after a time away. */
  hear(text: string, isFresh: boolean): void;
}

/**
 * Decisions on plain subjects, beside the bucket. A NATS cluster that has lost a node chooses leaders for four to nine seconds,
 * and the buckets and streams that it led are closed until then; plain subjects work as soon as there is a connection. So
 * what is said is said at once, again while the bucket has not confirmed it, and a member that comes back asks the servers
 * for what it has missed.
 */
export interface WordOfMouth {
  say(statement: Statement): void;
  close(): void;
}

export function createWordOfMouth({ member, bus, replica, pending, hear }: WordOfMouthDeps): WordOfMouth {
  const { name, role } = member;
  const isServer = role === 'server';
  /** Everything said until then, by the clocks of those who said it, is known here; less the difference of clocks. */
  let knownMs = newest(replica);

  /** Said while other words are on their way: they go together. */
  let unsaid = new Set<Statement>();
  let isSpeaking = false;
  /** Asked and not answered yet. */
  let asked: { sinceMs: number; left: number } | undefined;

  function publish({ nc }: Session, statements: readonly Statement[]): void {
    for (const part of inMessages(statements)) nc.publish(SUBJECTS.say(name), part);
  }

  /** Each lot when the NATS server has the one before, so that the connection holds no more than that. */
  async function speak(): Promise<void> {
    isSpeaking = true;
    for (let session = bus.session(); session && unsaid.size > 0; session = bus.session()) {
      const lot = [...take(unsaid, MAX_LOT)];
      for (const statement of lot) unsaid.delete(statement);
      publish(session, lot);
      await Promise.race([session.nc.flush().catch(() => undefined), pause(ANSWER_MS, session.signal)]);
    }
    isSpeaking = false;
  }

  function tell(session: Session, asker: string, text: string): void {
    const question = askSchema.safeParse(parse(text));
    if (!question.success || asker === name) return;
    const missed = [...replica.values()].filter((s) => proofOf(s).version >= question.data.sinceMs);
    missed.sort((a, b) => proofOf(b).version - proofOf(a).version);
    for (const part of inMessages(missed.slice(0, MAX_TOLD))) session.nc.publish(SUBJECTS.tell(asker), part);
    // Also that there is nothing: who is not answered asks again.
    if (missed.length === 0) session.nc.publish(SUBJECTS.tell(asker));
  }

  /** A NATS server that has just started takes members before it has found the others: then nobody hears the question. */
  function ask(session: Session): void {
    if (asked === undefined || asked.left-- <= 0) return;
    session.nc.publish(SUBJECTS.ask(name), JSON.stringify({ sinceMs: asked.sinceMs }));
  }

  bus.onSession((session) => {
    const { nc } = session;
    const listen = (subject: string, take: (line: string) => void): void =>
      void nc.subscribe(subject, {
        callback: (error, msg) => void (error ?? msg.string().split('\n').forEach(take)),
      });
    listen(SUBJECTS.say('*'), (line) => hear(line, true));
    listen(SUBJECTS.tell(name), (line) => {
      asked = undefined;
      if (line !== '') hear(line, false);
    });
    if (isServer) {
      nc.subscribe(SUBJECTS.ask('*'), {
        callback: (error, msg) => void (error ?? tell(session, speakerOf(msg.subject), msg.string())),
      });
    }
    asked = { sinceMs: Math.max(0, knownMs - CLOCKS_MS), left: MAX_ASKED };
    ask(session);
    session.signal.addEventListener(
      'abort',
      () => {
        knownMs = Date.now();
        // It is pending, and said again when there is a connection.
        unsaid = new Set();
      },
      { once: true },
    );
  });
  const again = setInterval(() => {
    const session = bus.session();
    if (!session) return;
    if (!isSpeaking) void speak();
    ask(session);
    // What has not been said once is on its way.
    publish(
      session,
      [...take(pending(), MAX_AGAIN)].filter((statement) => !unsaid.has(statement)),
    );
  }, AGAIN_MS);
  again.unref();

  return {
    say(statement) {
      const session = bus.session();
      if (!session) return;
      unsaid.add(statement);
      if (!isSpeaking) void speak();
    },
    close: () => clearInterval(again),
  };
}

function* take<T>(items: Iterable<T>, most: number): Generator<T> {
  let left = most;
  for (const item of items) {
    if (left-- <= 0) return;
    yield item;
  }
}

function newest(replica: Replica): number {
  let ms = 0;
  for (const statement of replica.values()) ms = Math.max(ms, proofOf(statement).version);
  return ms;
}

/** One statement a line, in messages that a NATS server takes. */
function* inMessages(statements: readonly Statement[]): Generator<string> {
  let lines: string[] = [];
  let chars = 0;
  for (const statement of statements) {
    const line = JSON.stringify(statement);
    if (chars + line.length > MAX_MESSAGE_CHARS && lines.length > 0) {
      yield lines.join('\n');
      [lines, chars] = [[], 0];
    }
    lines.push(line);
    chars += line.length + 1;
  }
  if (lines.length > 0) yield lines.join('\n');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
