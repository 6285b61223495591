import { readFileSync, statSync } from 'node:fs';
import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { errorCode, errorMessage } from '../../util/errors.js';
import type { TlsSettings } from '../settings.js';
import { DeliveryError, type FailureKind } from './transport.js';

/** Reads certificate files when they changed, so that a renewed certificate is used without a restart. */
export function createTlsFiles(tls: TlsSettings, host: string): () => { options: ConnectionOptions; stamp: string } {
  let stamp = '';
  let options: ConnectionOptions = {};
  return () => {
    const files = [tls.ca, tls.cert, tls.key].filter((path) => path !== undefined);
    let fresh: string;
    try {
      fresh = files.map((path) => String(statSync(path).mtimeMs)).join(' ') || 'none';
      if (fresh === stamp) return { options, stamp };
      const servername = tls.servername ?? (isIP(host) === 0 ? host : undefined);
      options = {
        minVersion: tls.minVersion,
        rejectUnauthorized: !tls.skipVerify,
        ...(servername === undefined ? {} : { servername }),
        ...(tls.ca === undefined ? {} : { ca: readFileSync(tls.ca) }),
        ...(tls.cert === undefined ? {} : { cert: readFileSync(tls.cert) }),
        ...(tls.key === undefined ? {} : { key: readFileSync(tls.key) }),
      };
      stamp = fresh;
    } catch (error) {
      throw new DeliveryError('misconfigured', `cannot read a certificate file: ${errorMessage(error)}`);
    }
    return { options, stamp };
  };
}

const CERTIFICATE_CODES = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'HOSTNAME_MISMATCH',
]);

/** A certificate problem needs the operator; everything else may pass by itself. */
export function failureKind(error: unknown): FailureKind {
  const code = errorCode(error);
  const certificate = code.startsWith('ERR_TLS_') || code.startsWith('ERR_SSL_') || code.startsWith('CERT_');
  return certificate || CERTIFICATE_CODES.has(code) ? 'misconfigured' : 'retry';
}
