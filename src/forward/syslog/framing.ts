export type Framing = 'octet' | 'newline';

/**
 * One message as it goes onto a stream (RFC 6587 3.4): `LENGTH SP MESSAGE`, or `MESSAGE LF`. Messages never hold a
 * raw line break, so the newline form cannot be forged from inside; a stray one would become a space here.
 */
export function frameMessage(message: string, framing: Framing): string {
  if (framing === 'octet') return `${Buffer.byteLength(message)} ${message}`;
  const isBroken = message.includes('\n') || message.includes('\r');
  return `${isBroken ? message.replace(/[\r\n]+/g, ' ') : message}\n`;
}
