import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** PEM files made anew for a test by the openssl program. */
export interface Certificates {
  ca: string;
  otherCa: string;
  server: { cert: string; key: string };
  client: { cert: string; key: string };
  /** Signed by our authority, but for a name that the receiver does not permit. */
  stranger: { cert: string; key: string };
  /** Signed by the other authority. */
  foreign: { cert: string; key: string };
}

export const SERVER_NAME = 'siem.test';
export const CLIENT_NAME = 'portcullis.test';

function openssl(args: string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

function authority(dir: string, name: string): string {
  const cert = join(dir, `${name}.pem`);
  openssl(['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
    '-subj', `/CN=${name}`, '-keyout', join(dir, `${name}.key`), '-out', cert]); // prettier-ignore
  return cert;
}

function signed(dir: string, ca: string, file: string, name: string): { cert: string; key: string } {
  const [cert, key, request, ext] = ['pem', 'key', 'csr', 'ext'].map((end) => join(dir, `${file}.${end}`)) as [
    string,
    string,
    string,
    string,
  ];
  openssl(['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', `/CN=${name}`,
    '-keyout', key, '-out', request]); // prettier-ignore
  writeFileSync(ext, `subjectAltName=DNS:${name}\n`);
  openssl(['x509', '-req', '-in', request, '-CA', join(dir, `${ca}.pem`), '-CAkey', join(dir, `${ca}.key`),
    '-CAcreateserial', '-days', '2', '-extfile', ext, '-out', cert]); // prettier-ignore
  return { cert, key };
}

export function makeCertificates(dir: string): Certificates {
  return {
    ca: authority(dir, 'ca'),
    otherCa: authority(dir, 'other-ca'),
    server: signed(dir, 'ca', 'server', SERVER_NAME),
    client: signed(dir, 'ca', 'client', CLIENT_NAME),
    stranger: signed(dir, 'ca', 'stranger', 'stranger.test'),
    foreign: signed(dir, 'other-ca', 'foreign', CLIENT_NAME),
  };
}
