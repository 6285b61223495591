import { open, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, errorCode } from '../../util/errors.js';

/** Start time of a process in clock ticks since boot, so that a reused pid is not taken for the old owner. */
async function processStart(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

/** Takes the spool directory for this process. @returns a function that gives it back. */
export async function lockSpool(dir: string): Promise<() => Promise<void>> {
  const path = join(dir, 'lock');
  const mine = `${process.pid} ${(await processStart(process.pid)) ?? ''}\n`;
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      const handle = await open(path, 'wx', 0o640);
      await handle.writeFile(mine);
      await handle.close();
      return () => unlink(path).catch(() => undefined);
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
    }
    const [pid, start] = (await readFile(path, 'utf8').catch(() => '')).trim().split(' ');
    const alive = pid !== undefined && pid !== '' && (await processStart(Number(pid))) === start && start !== undefined;
    if (alive) {
      throw new AppError({
        kind: 'operational',
        code: 'siem.spool_in_use',
        message: `The spool directory ${dir} is in use by process ${pid}.`,
        fix: 'Stop the other process, or give this one its own siem.spool.dir.',
        context: { dir, pid: Number(pid) },
      });
    }
    await unlink(path).catch(() => undefined);
  }
  throw new AppError({
    kind: 'operational',
    code: 'siem.spool_in_use',
    message: `The spool directory ${dir} cannot be locked.`,
    fix: `Remove ${path} if no other process uses it.`,
    context: { dir },
  });
}
