import type { Job } from '../../contract/http.js';
import type { CaptureFacts } from '../packets/packet-index.js';

/** What the lab's child process is asked to do, as its one message. */
export type ChildTask =
  | { op: 'index'; capture: string; index: string }
  | {
      op: 'analyse';
      capture: string;
      /** Configuration file; undefined: as the server found it. */
      configFile: string | undefined;
      signatures: boolean;
      behaviour: boolean;
      models: boolean;
      /** Texts of the policies in force. */
      policies: string[];
      candidate: string | undefined;
      maxAlerts: number;
      alertsFile: string;
      blocksFile: string;
    };

export interface ChildProblem {
  kind: 'user' | 'operational' | 'bug';
  code: string;
  message: string;
  fix?: string;
}

export type JobResult = NonNullable<Job['result']>;

/** What it tells. */
export type ChildMessage =
  | { op: 'progress'; packets: number }
  | { op: 'indexed'; facts: CaptureFacts }
  | { op: 'analysed'; result: JobResult }
  | { op: 'failed'; problem: ChildProblem };
