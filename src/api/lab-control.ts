import type {
  Capture,
  FileAnswer,
  Job,
  JobAlert,
  JobBlock,
  JobRequest,
  ListQuery,
  PacketDetail,
  PacketPage,
  PacketQuery,
  Page,
} from '../contract/http.js';
import type { Actor } from './deps.js';

type Awaitable<T> = T | Promise<T>;

/** The offline lab of the daemon: uploaded captures and their analysis. Unknown ids throw `lab.not_found`. */
export interface LabControl {
  captures: {
    list(): Awaitable<Capture[]>;
    get(id: string): Awaitable<Capture>;
    add(name: string, actor: Actor, bytes: AsyncIterable<Uint8Array>): Awaitable<Capture>;
    /** Its jobs go with it. */
    remove(id: string): Awaitable<void>;
    file(id: string): Awaitable<FileAnswer>;
    packets(id: string, query: PacketQuery): Awaitable<PacketPage>;
    packet(id: string, number: number): Awaitable<PacketDetail>;
  };
  jobs: {
    list(): Awaitable<Job[]>;
    get(id: string): Awaitable<Job>;
    add(request: JobRequest, actor: Actor): Awaitable<Job>;
    remove(id: string): Awaitable<void>;
    alerts(id: string, query: ListQuery): Awaitable<Page<JobAlert>>;
    blocks(id: string, query: ListQuery): Awaitable<Page<JobBlock>>;
  };
}
