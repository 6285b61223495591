import { AppError } from '../util/errors.js';

/** The input is a capture, but breaks off or contradicts itself; packets before that were handed over. */
export function corruptCapture(what: string, packets: number, streamOffset: number): AppError {
  return new AppError({
    kind: 'user',
    code: 'capture.corrupt',
    message: `The capture is corrupt after packet ${packets}, at byte ${streamOffset}: ${what}.`,
    fix: 'The packets before it were read. Repair the file, for instance with `editcap`, or capture again.',
    context: { packets, streamOffset },
  });
}

export function truncatedCapture(packets: number, streamOffset: number): AppError {
  return new AppError({
    kind: 'user',
    code: 'capture.truncated',
    message: `The capture ends in the middle of a record after packet ${packets}, at byte ${streamOffset}.`,
    fix: 'The packets before it were read. The capture was cut short: was the disk full, or is it still being written?',
    context: { packets, streamOffset },
  });
}

export function notACapture(name: string, hint: string): AppError {
  return new AppError({
    kind: 'user',
    code: 'capture.not_a_capture',
    message: `${name} is not a pcap or pcapng capture: ${hint}.`,
    fix: 'Give a file written by tcpdump, Wireshark or `portcullis capture`.',
    context: { name },
  });
}

export function emptyCapture(name: string): AppError {
  return new AppError({
    kind: 'user',
    code: 'capture.empty',
    message: `${name} is empty: not even a capture file header.`,
    fix: 'Check the program that should have written it.',
    context: { name },
  });
}

/** Why a file could not be opened, in words. @param systemCode as Node gives it, for instance `ENOENT`. */
export function unreadableFile(path: string, systemCode: string, cause: unknown): AppError {
  const context = { path };
  switch (systemCode) {
    case 'ENOENT':
      return new AppError({
        kind: 'user',
        code: 'capture.not_found',
        message: `${path} does not exist.`,
        fix: 'Check the path.',
        context,
        cause,
      });
    case 'EISDIR':
      return new AppError({
        kind: 'user',
        code: 'capture.is_directory',
        message: `${path} is a directory.`,
        fix: 'Name the capture files in it.',
        context,
        cause,
      });
    default:
      return new AppError({
        kind: 'user',
        code: 'capture.unreadable',
        message: `${path} cannot be read (${systemCode}).`,
        fix: 'Check its permissions and its disk.',
        context,
        cause,
      });
  }
}

export function unknownInterface(name: string, known: readonly string[]): AppError {
  return new AppError({
    kind: 'user',
    code: 'capture.no_interface',
    message: `There is no network interface "${name}".`,
    fix: known.length > 0 ? `Interfaces here: ${known.join(', ')}.` : 'List them with `portcullis interfaces`.',
    context: { interface: name, known },
  });
}

export function noCaptureRights(name: string): AppError {
  return new AppError({
    kind: 'operational',
    code: 'capture.no_rights',
    message: `Capturing on "${name}" needs the capability CAP_NET_RAW.`,
    fix: 'Run as root, use the systemd unit portcullis-sensor, or give the capability with `setcap cap_net_raw+ep`.',
    context: { interface: name },
  });
}

export function unsupportedLink(name: string, type: number | string): AppError {
  return new AppError({
    kind: 'user',
    code: 'capture.unsupported_link',
    message: `Interface "${name}" has link type ${type}, which Portcullis does not decode.`,
    fix: 'Capture on an Ethernet, loopback, PPP or tunnel interface.',
    context: { interface: name, type },
  });
}

export function captureFailed(name: string, step: string, systemCode: string, cause?: unknown): AppError {
  return new AppError({
    kind: 'operational',
    code: 'capture.failed',
    message: `Capturing on "${name}" failed: ${step} answered ${systemCode}.`,
    fix:
      systemCode === 'ENOMEM' || systemCode === 'ENOBUFS'
        ? 'Use a smaller ring (ringMiB).'
        : 'Run `portcullis doctor`.',
    context: { interface: name, step, systemCode },
    cause,
  });
}
