import type { LabControl } from '../../../src/api/index.js';
import type { Capture, Job } from '../../../src/contract/http.js';
import { uuid7 } from '../../../src/util/uuid7.js';

/** A lab that keeps uploads in memory and finds one alert in each. */
export function createFakeLab(missing: () => Error): LabControl {
  const captures = new Map<string, { capture: Capture; bytes: Buffer }>();
  const jobs = new Map<string, Job>();
  const find = <T>(map: Map<string, T>, id: string): T => {
    const found = map.get(id);
    if (found === undefined) throw missing();
    return found;
  };
  const packet = {
    number: 1,
    tsUs: 1,
    wireLen: 60,
    capLen: 60,
    src: '192.0.2.1',
    dst: '192.0.2.2',
    proto: 'tcp',
    info: 'SYN',
  };
  return {
    captures: {
      list: () => [...captures.values()].map(({ capture }) => capture),
      get: (id) => find(captures, id).capture,
      async add(name, actor, chunks) {
        const parts: Uint8Array[] = [];
        for await (const chunk of chunks) parts.push(chunk);
        const bytes = Buffer.concat(parts);
        const capture: Capture = {
          id: uuid7(), name, format: 'pcap', bytes: bytes.length, sha256: '', packets: 1, firstUs: 1, lastUs: 1, user: actor.name, createdMs: 1,
        }; // prettier-ignore
        captures.set(capture.id, { capture, bytes });
        return capture;
      },
      remove(id) {
        find(captures, id);
        captures.delete(id);
      },
      file: (id) => ({
        name: find(captures, id).capture.name,
        type: 'application/vnd.tcpdump.pcap',
        body: find(captures, id).bytes,
      }),
      packets(id) {
        find(captures, id);
        return { items: [packet], nextCursor: null, total: 1 };
      },
      packet(id, number) {
        find(captures, id);
        return { ...packet, number, layers: [], hex: '00' };
      },
    },
    jobs: {
      list: () => [...jobs.values()],
      get: (id) => find(jobs, id),
      add({ captureId, signatures, behaviour, models, candidate }, actor) {
        const { capture } = find(captures, captureId);
        const job: Job = {
          id: uuid7(), captureId, captureName: capture.name, user: actor.name, state: 'queued', progress: 0, packets: 0, createdMs: 1,
          startedMs: null, endedMs: null, error: null, result: null,
          options: { signatures, behaviour, models, candidate: candidate !== undefined },
        }; // prettier-ignore
        jobs.set(job.id, job);
        return job;
      },
      remove(id) {
        find(jobs, id);
        jobs.delete(id);
      },
      alerts(id) {
        find(jobs, id);
        return { items: [], nextCursor: null };
      },
      blocks(id) {
        find(jobs, id);
        return { items: [], nextCursor: null };
      },
    },
  };
}
