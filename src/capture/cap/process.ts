import { fork, type ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { LINK } from '../../domain/packet.js';
import { AppError } from '../../util/errors.js';
import { captureFailed, noCaptureRights, unsupportedLink } from '../errors.js';
import type { CapOptions } from '../options.js';
import type { CapMessage } from './messages.js';

const LINK_BY_NAME: Readonly<Record<string, number>> = {
  ETHERNET: LINK.ETHERNET,
  NULL: LINK.NULL,
  RAW: LINK.RAW,
  LINKTYPE_LINUX_SLL: LINK.LINUX_SLL,
  'Unknown linktype 276': LINK.LINUX_SLL2,
};

/** A running capture process. */
export interface CapProcess {
  linkType: number;
  /** A pcap stream; its header does not know the link type. */
  output: Readable;
  dropped(): number;
  /** Settles when the process ended, for whatever reason. */
  ended: Promise<void>;
  stop(): void;
}

/** Starts the process and waits until libpcap has opened the interface. @throws AppError with libpcap's reason. */
export async function startCapProcess(options: CapOptions): Promise<CapProcess> {
  const { interface: name, filter, bufferMiB } = options;
  const self = fileURLToPath(import.meta.url);
  const script = fileURLToPath(new URL(self.endsWith('.ts') ? './child.ts' : './child.js', import.meta.url));
  const child = fork(script, [JSON.stringify({ interface: name, filter, bufferMiB })], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let errors = '';
  let dropped = 0;
  child.stderr?.on('data', (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-2000)));
  const ended = new Promise<void>((resolve) => void child.once('close', () => resolve()));
  const linkName = await opened(child, name, () => errors);
  child.on('message', (message: CapMessage) => {
    if (message.kind === 'dropped') dropped = message.packets;
  });
  const linkType = LINK_BY_NAME[linkName];
  if (linkType === undefined) {
    child.kill();
    throw unsupportedLink(name, linkName);
  }
  return { linkType, output: child.stdout!, dropped: () => dropped, ended, stop: () => void child.kill() };
}

function opened(child: ChildProcess, name: string, errors: () => string): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('message', (message: CapMessage) => {
      if (message.kind === 'open') resolve(message.linkName);
      else reject(openError(name, message.kind === 'error' ? message.message : message.kind));
    });
    child.once('error', (error) => reject(captureFailed(name, 'starting the capture process', error.message, error)));
    child.once('close', (code) => {
      reject(captureFailed(name, 'the capture process', errors().trim().split('\n').at(-1) || `exit code ${code}`));
    });
  });
}

function openError(name: string, message: string): AppError {
  if (/permission|not permitted/i.test(message)) return noCaptureRights(name);
  if (/cannot open shared object|libpcap|cap\.node|Cannot find module/i.test(message)) {
    return new AppError({
      kind: 'operational',
      code: 'capture.no_libpcap',
      message: `The capture source "cap" cannot be loaded: ${message}.`,
      fix: 'Install libpcap (Debian: libpcap0.8), or use the source "afpacket".',
    });
  }
  if (/syntax error|filter/i.test(message)) {
    return new AppError({
      kind: 'user',
      code: 'capture.bad_filter',
      message: `The capture filter is not valid: ${message}.`,
      fix: 'See pcap-filter(7).',
    });
  }
  return captureFailed(name, 'libpcap', message);
}
