import { join } from 'node:path';
import type { LabControl } from '../../api/index.js';
import type { LoadedConfig } from '../../config/index.js';
import type { Job } from '../../contract/http.js';
import { parsePolicy, policyError, type PolicyEngine } from '../../policy/index.js';
import type { PolicyRepository } from '../../store/index.js';
import type { Logger } from '../../util/logger.js';
import { createCaptureLibrary } from '../lab/captures.js';
import { createJobBook } from '../lab/jobs.js';

export interface LabDeps {
  config: LoadedConfig;
  engine: PolicyEngine;
  policies: PolicyRepository;
  changed(job: Job): void;
  log: Logger;
}

/** The offline lab in `data_dir/lab`. */
export interface Lab {
  control: LabControl;
  /** Run it every hour. */
  expire(nowMs: number): Promise<void>;
  close(): Promise<void>;
}

export function createLab({ config, engine, policies, changed, log }: LabDeps): Lab {
  const dir = join(config.data_dir, 'lab');
  const captures = createCaptureLibrary(join(dir, 'captures'), config.lab);
  const jobs = createJobBook(join(dir, 'jobs'), config.lab, {
    captures,
    configFile: config.file,
    async policyTexts() {
      const inForce = new Set(engine.policies().map((policy) => policy.name));
      return (await policies.current()).filter((row) => inForce.has(row.name)).map((row) => row.yaml);
    },
    changed,
    log,
  });

  async function remove(id: string): Promise<void> {
    await jobs.removeOf(id);
    await captures.remove(id);
  }

  return {
    control: {
      captures: { ...captures, add: (name, actor, bytes) => captures.add(name, actor.name, bytes), remove },
      jobs: {
        ...jobs,
        add(request, actor) {
          if (request.candidate !== undefined) {
            const parsed = parsePolicy(request.candidate, 'candidate');
            if (!parsed.ok) throw policyError(parsed.problems);
          }
          return jobs.add(request, actor.name);
        },
      },
    },
    async expire(nowMs) {
      for (const id of await captures.expire(nowMs)) await jobs.removeOf(id);
    },
    close: () => jobs.close(),
  };
}
