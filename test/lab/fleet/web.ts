import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LabProcess } from '../process.js';

/** What asks the web server waits until it is judged; a busy machine shall look neither dead nor overloaded. */
export const INLINE = {
  ...{ enabled: true, mode: 'enforce', hooks: ['input', 'output'], services: ['tcp/80'] },
  ...{ alive_ms: 10_000, overload: { max_latency_ms: 30_000 } },
};

export interface BoxWebOptions {
  /** Namespace and address of the box that serves, and of who asks. */
  box: { netns: string; ip: string };
  visitor: { netns: string; ip: string };
  /** Folder for its files, made here. */
  dir: string;
}

/** A web server on a box, and one who asks it. */
export class BoxWeb {
  private readonly options: BoxWebOptions;
  private readonly logFile: string;

  constructor(options: BoxWebOptions) {
    const { box, dir } = options;
    this.options = options;
    mkdirSync(join(dir, 'files'), { recursive: true });
    writeFileSync(join(dir, 'files', 'index.html'), 'welcome\n');
    this.logFile = join(dir, 'access.log');
    writeFileSync(this.logFile, '');
    const args = ['-m', 'http.server', '80', '--bind', box.ip, '--directory', join(dir, 'files')];
    new LabProcess(box.netns, 'python3', args, { logFile: this.logFile });
  }

  /** @returns the status of the answer; 000 when none came in time. */
  async get(path: string, headers: readonly string[] = [], withinSecs = 30): Promise<string> {
    const { box, visitor } = this.options;
    const args = ['-s', '-o', '/dev/null', '-w', '%{http_code}', '-m', String(withinSecs), '--interface', visitor.ip];
    const asked = [...args, ...headers.flatMap((header) => ['-H', header]), `http://${box.ip}${path}`];
    return (await new LabProcess(visitor.netns, 'curl', asked).ended).stdout;
  }

  /** The requests that have reached it. */
  log(): string {
    return readFileSync(this.logFile, 'utf8');
  }
}
