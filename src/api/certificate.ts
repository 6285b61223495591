import { join } from 'node:path';
import type { ApiDeps } from './deps.js';
import type { ApiOptions } from './options.js';
import { ensureSelfSigned, SELF_SIGNED_FILE } from './self-signed.js';

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host);
}

type TlsOptions = Pick<ApiOptions, 'tls' | 'host' | 'plainHttp'>;

/** The certificate that the server shows; undefined for plain HTTP. */
export function certificateFile({ tls, host, plainHttp }: TlsOptions, dataDir: string): string | undefined {
  if (tls?.certFile !== undefined) return tls.certFile;
  if (tls === undefined && (isLoopback(host) || plainHttp)) return undefined;
  return join(dataDir, SELF_SIGNED_FILE);
}

/** HTTPS wherever others could listen; with a certificate of our own making while there is no other. */
export function withCertificate(options: ApiOptions, { log, now = Date.now }: ApiDeps): ApiOptions {
  if (options.tls?.certFile !== undefined || certificateFile(options, options.dataDir) === undefined) return options;
  const { certFile, keyFile, fingerprint } = ensureSelfSigned(options.dataDir, now());
  log.info({ certFile, fingerprint }, 'The certificate is self-signed; compare its fingerprint in the browser.');
  return { ...options, tls: { certFile, keyFile } };
}
