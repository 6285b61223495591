/** Where lines come from. */
export interface Source {
  /** What it is doing, for people; empty when all is well. */
  problem(): string;
  /** Lines of syslog senders that are not listened to, connections over the limit. */
  refused(): number;
  close(): Promise<void>;
}

/** What a source hands its lines to. */
export interface Intake {
  /** @param sender address, empty for local sources. */
  line(text: string, sender: string): void;
  tooLong(): void;
  /** Resolves when more may be read; at once for most. Only sources that can wait ask. */
  ready(): Promise<void>;
  /** False when the rate is used up: for sources that cannot wait. */
  mayTake(): boolean;
  /** Something a person should know, once for each change. */
  report(problem: string): void;
}
