import { readFileSync } from 'node:fs';
import { createServer as createHttpServer, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { AppError, errorCode } from '../util/errors.js';
import { createApi, type Api } from './app.js';
import { withCertificate } from './certificate.js';
import { shareConnections } from './client-network.js';
import type { ApiDeps } from './deps.js';
import { apiOptionsSchema, type ApiOptions } from './options.js';

export interface ApiServer {
  live: Api['live'];
  /** e.g. `https://127.0.0.1:8443`. */
  url: string;
  port: number;
  close(): Promise<void>;
}

const UPLOAD_TIMEOUT_MS = 3_600_000;
/** Time for a TLS handshake, and for the first headers: silent connections make room for others. */
const HELLO_TIMEOUT_MS = 10_000;
const MAX_CONNECTIONS = 1000;
/** Of these for one client: a single attacker locks nobody out of the console. */
const MAX_CONNECTIONS_OF_ONE = 250;

function readPem(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new AppError({
      kind: 'operational',
      code: 'api.tls_file',
      message: `The TLS file ${path} cannot be read.`,
      fix: 'Check api.tls.cert_file and api.tls.key_file and their permissions.',
      cause: error,
    });
  }
}

function createServer(options: ApiOptions, api: Api): Server {
  const limits = {
    // Bodies have a shorter clock of their own in middleware/body.ts; an upload may take long as long as it comes.
    requestTimeout: UPLOAD_TIMEOUT_MS,
    headersTimeout: Math.min(HELLO_TIMEOUT_MS, options.requestTimeoutSecs * 1000),
    keepAliveTimeout: 30_000,
    connectionsCheckingInterval: 1000,
    maxHeaderSize: 16 * 1024,
  };
  if (!options.tls) return createHttpServer(limits, api.callback);
  const { certFile = '', keyFile = '' } = options.tls;
  const pem = {
    cert: readPem(certFile),
    key: readPem(keyFile),
    minVersion: 'TLSv1.2' as const,
    handshakeTimeout: HELLO_TIMEOUT_MS,
  };
  try {
    return createHttpsServer({ ...limits, ...pem }, api.callback);
  } catch (error) {
    throw new AppError({
      kind: 'operational',
      code: 'api.tls_file',
      message: 'The TLS certificate and key do not fit together or are damaged.',
      fix: 'Check api.tls.cert_file and api.tls.key_file.',
      cause: error,
    });
  }
}

function listen(server: Server, { host, port }: ApiOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const inUse = errorCode(error) === 'EADDRINUSE';
      reject(
        new AppError({
          kind: 'operational',
          code: inUse ? 'api.port_in_use' : 'api.cannot_listen',
          message: inUse ? `Port ${port} on ${host} is in use.` : `Cannot listen on ${host}, port ${port}.`,
          fix: 'Change api.host or api.port, or stop the other program.',
          cause: error,
        }),
      );
    });
    server.listen({ host, port }, resolve);
  });
}

/**
 * Opens the HTTP(S) server with API, live feed and console.
 * @throws AppError api.port_in_use, api.cannot_listen, api.tls_file, auth.key_file
 */
export async function openApiServer(input: Partial<ApiOptions>, deps: ApiDeps): Promise<ApiServer> {
  const options = withCertificate(apiOptionsSchema.parse(input), deps);
  const api = createApi(options, deps);
  try {
    const server = createServer(options, api);
    server.maxConnections = MAX_CONNECTIONS;
    if (!options.plainHttp) shareConnections(server, MAX_CONNECTIONS_OF_ONE);
    api.attachWebSocket(server);
    server.on(options.tls ? 'secureConnection' : 'connection', api.connections.opened);
    server.on('upgrade', (_request, socket) => {
      api.connections.upgraded(socket as Socket);
    });
    await listen(server, options);
    const { port } = server.address() as AddressInfo;
    const host = options.host.includes(':') ? `[${options.host}]` : options.host;
    return {
      live: api.live,
      url: `${options.tls ? 'https' : 'http'}://${host}:${port}`,
      port,
      close: () =>
        new Promise((resolve) => {
          api.close();
          server.close(() => {
            resolve();
          });
          server.closeAllConnections();
        }),
    };
  } catch (error) {
    api.close();
    throw error;
  }
}
