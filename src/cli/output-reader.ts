import { EXIT } from '../util/errors.js';

let stop = (): void => process.exit(EXIT.OK);

/** Who reads standard output may leave early (`portcullis analyze ... | head`), which is no error: the process ends at once. */
export function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    stop();
  });
}

/** For a command with threads of native code, which an exit in their midst turns into an abort: it stops in its own way. */
export function onReaderLeft(stopCommand: () => void): void {
  stop = stopCommand;
}
