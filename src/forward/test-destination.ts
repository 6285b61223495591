import { SIEM_EVENT_VERSION, type SiemEvent } from '../domain/siem-event.js';
import { AppError, errorMessage } from '../util/errors.js';
import { uuid7 } from '../util/uuid7.js';
import { FORMATTERS } from './formats/index.js';
import { formatContext, type ForwarderDeps } from './context.js';
import type { SiemOptions } from './options.js';
import { checkDestination, problemsError, resolveDestination } from './settings.js';
import { formatToFit } from './shrink.js';
import { createTransport } from './transports/index.js';

export interface TestResult {
  ok: boolean;
  /** Exactly what was sent, framing and headers included. */
  bytes: string;
  /** What the receiver answered, or how it confirmed. */
  answer: string;
  error?: string;
}

function testEvent(deps: Pick<ForwarderDeps, 'hostName' | 'now'>): SiemEvent {
  return {
    version: SIEM_EVENT_VERSION,
    kind: 'health',
    id: uuid7(),
    tsMs: deps.now(),
    sensor: deps.hostName,
    severity: 'info',
    message: 'Portcullis test message: if you can read this in the SIEM, the way is open',
    component: 'siem.test',
    status: 'ok',
    details: {},
  };
}

export function noSuchDestination(name: string, names: readonly string[]): AppError {
  return new AppError({
    kind: 'user',
    code: 'siem.not_found',
    message: `There is no SIEM destination "${name}" at work.`,
    fix: `Use one of: ${names.join(', ') || '(none is configured)'}.`,
  });
}

/**
 * Sends one harmless event over a connection of its own. Success means confirmed: after a TLS handshake or a write
 * alone nothing is known. Does not touch the spool.
 */
export async function testDestination(options: SiemOptions, name: string, deps: ForwarderDeps): Promise<TestResult> {
  const index = options.destinations.findIndex((d) => d.name === name);
  const destination = options.destinations[index];
  if (!destination) {
    throw noSuchDestination(
      name,
      options.destinations.map((d) => d.name),
    );
  }
  const baseDir = deps.configDir ?? deps.dataDir;
  const problems = checkDestination(destination, `siem.destinations[${index}]`, baseDir);
  if (problems.length > 0) throw problemsError(problems);
  const settings = resolveDestination(destination, baseDir);
  const context = formatContext(settings, deps);
  const transport = createTransport(settings, { ...context, record: true });
  const event = testEvent(deps);
  const body = formatToFit(event, FORMATTERS[settings.format], context, settings.maxMessageBytes) ?? '';
  try {
    await transport.write([{ event, body }]);
    const rejected = await transport.confirm();
    const { sent, answer } = transport.exchange();
    const reason = rejected[0]?.reason;
    return { ok: reason === undefined, bytes: sent, answer, ...(reason === undefined ? {} : { error: reason }) };
  } catch (error) {
    const { sent, answer } = transport.exchange();
    return { ok: false, bytes: sent, answer, error: errorMessage(error) };
  } finally {
    await transport.close();
  }
}
