import { NOTHING, latin1 } from './bytes.js';
import { parseLength } from './headers.js';
import type { HttpTransaction } from './transaction.js';

/** Protocols that a connection may be upgraded to, by their names in `Upgrade` (RFC 9110 7.8). */
export type Upgrade = 'http2' | 'websocket';
const UPGRADES = new Map<string, Upgrade>([
  ['h2c', 'http2'],
  ['websocket', 'websocket'],
]);

/** What follows the header of a response. */
export type Framing =
  /** Another protocol: any one behind CONNECT, the one of `Upgrade`, or one that is not looked at. */
  | { kind: 'tunnel'; isConnected: boolean; upgrade: Upgrade | undefined }
  /** The response proper: this one was `100 Continue`. */
  | { kind: 'continue' }
  | { kind: 'nothing' }
  | { kind: 'chunks' }
  | { kind: 'length'; bytes: number }
  | { kind: 'until_close' }
  /** Nothing that can be made sense of; the event that says why. */
  | { kind: 'failed'; event: string };

/** Decides by status, request and header as browsers do (RFC 9112 section 6.3), and notes what is odd about it. */
export function responseFraming(tx: HttpTransaction): Framing {
  const { headers } = tx.response;
  const { status, methodText } = tx;
  const length = headers.get('content-length');
  const coding = headers.text('transfer-encoding');
  const hasBodyField = length !== undefined || coding !== undefined;
  const isConnected = methodText === 'CONNECT' && status >= 200 && status <= 299;
  if (isConnected || (status === 101 && !hasBodyField)) {
    const name = headers.text('upgrade')?.trim().toLowerCase() ?? '';
    return { kind: 'tunnel', isConnected, upgrade: isConnected ? undefined : UPGRADES.get(name) };
  }
  if (status === 100 && coding === undefined && (length === undefined || parseLength(length) <= 0)) {
    return tx.hadContinue ? { kind: 'failed', event: '100_continue_already_seen' } : { kind: 'continue' };
  }
  const isBodyless = (status >= 100 && status <= 199) || status === 204 || status === 304;
  if (methodText === 'HEAD' || (isBodyless && !hasBodyField)) return { kind: 'nothing' };
  if (isBodyless) tx.note('response_body_unexpected');
  if (coding?.replace(/\0/g, '').toLowerCase().includes('chunked') === true) {
    if (coding.toLowerCase() !== 'chunked') tx.note('response_abnormal_transfer_encoding');
    if (latin1(tx.response.protocol ?? NOTHING) !== 'HTTP/1.1') tx.note('response_chunked_old_proto');
    return { kind: 'chunks' };
  }
  if (length !== undefined) {
    const bytes = parseLength(length);
    return bytes < 0
      ? { kind: 'failed', event: 'invalid_content_length_field_in_response' }
      : { kind: 'length', bytes };
  }
  if (headers.text('content-type')?.toLowerCase().includes('multipart/byteranges') === true)
    return { kind: 'failed', event: 'response_multipart_byteranges' };
  return { kind: 'until_close' };
}

/**
 * Whether the settings for HTTP/2 in a request of HTTP/1 can be read: six bytes each (RFC 9113 6.5.1), which are eight
 * characters of base64, of either alphabet (RFC 7540 3.2.1). True when there are none.
 */
export function hasGoodSettings(tx: HttpTransaction): boolean {
  return /^(?:[A-Za-z0-9+/_-]{8})*$/.test(tx.request.headers.text('http2-settings')?.trim() ?? '');
}
