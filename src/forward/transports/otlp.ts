import { z } from 'zod';
import type { DestinationSettings } from '../settings.js';
import type { HttpDialect } from './http.js';
import { DeliveryError } from './transport.js';

const answerSchema = z.object({
  partialSuccess: z
    .object({
      rejectedLogRecords: z.union([z.string(), z.number()]).optional(),
      errorMessage: z.string().optional(),
    })
    .optional(),
});

/**
 * OTLP/HTTP with JSON (OpenTelemetry Protocol 1.x). A partial success must not be sent again and does not say which
 * records were refused, so the whole batch goes to the dead letters with the count.
 */
export function createOtlpDialect(
  settings: DestinationSettings,
  deps: { hostName: string; productVersion: string },
): HttpDialect {
  const url = new URL(settings.url);
  if (url.pathname === '/') url.pathname = '/v1/logs';
  const text = (key: string, value: string): object => ({ key, value: { stringValue: value } });
  const resource = {
    attributes: [
      text('service.name', 'portcullis'),
      text('service.version', deps.productVersion),
      text('host.name', deps.hostName),
    ],
  };
  const scope = { name: 'portcullis', version: deps.productVersion };
  const head = `{"resourceLogs":[{"resource":${JSON.stringify(resource)},"scopeLogs":[{"scope":${JSON.stringify(scope)},"logRecords":[`;
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    ...(settings.token === '' ? {} : { authorization: `Bearer ${settings.token}` }),
  };
  return {
    url,
    compress: settings.options.gzip,
    policy: { maxEvents: 1, maxMs: 0, idleMs: 0 },
    encode: (messages) => `${head}${messages.map((message) => message.body).join(',')}]}]}]}`,
    headers: () => headers,
    judge(answer, messages) {
      if (answer.status !== 200 || answer.body.trim() === '') return undefined;
      const { refused, why } = readPartialSuccess(answer.body);
      if (refused === 0) return undefined;
      const reason = `OTLP partial success: ${refused} of ${messages.length} records of this batch refused: ${why}`;
      return { retry: [], rejected: messages.map((message) => ({ message, reason })) };
    },
  };
}

/** @throws DeliveryError for what is no ExportLogsServiceResponse, as a page of a proxy in between */
function readPartialSuccess(body: string): { refused: number; why: string } {
  let answer: z.infer<typeof answerSchema>;
  try {
    answer = answerSchema.parse(JSON.parse(body));
  } catch {
    throw new DeliveryError('retry', `not an answer of OTLP: ${body.slice(0, 200)}`);
  }
  const { rejectedLogRecords = 0, errorMessage = '' } = answer.partialSuccess ?? {};
  return { refused: Number(rejectedLogRecords), why: errorMessage };
}
