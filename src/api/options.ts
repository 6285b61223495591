import { z } from 'zod';

const perMinute = (points: number, what: string) =>
  z.number().int().min(1).default(points).describe(`${what} a minute from one address`);

/** The HTTP server: API, WebSocket feed and console. */
export const apiOptionsSchema = z.strictObject({
  host: z.string().default('127.0.0.1').describe('address to listen on; loopback unless the console is used remotely'),
  port: z.number().int().min(0).max(65535).default(8443).describe('TCP port'),
  tls: z
    .strictObject({
      certFile: z
        .string()
        .optional()
        .describe(
          'PEM file with the certificate and its chain; without it a self-signed one is made at the first start',
        ),
      keyFile: z.string().optional().describe('PEM file with the private key'),
    })
    .refine(
      (tls) => (tls.certFile === undefined) === (tls.keyFile === undefined),
      'give certFile and keyFile, or neither',
    )
    .optional()
    .describe('serve HTTPS; on by itself when host is not loopback'),
  plainHttp: z
    .boolean()
    .default(false)
    .describe('serve HTTP on an address that is not loopback: only behind a reverse proxy that does TLS'),
  secureCookies: z
    .boolean()
    .optional()
    .describe('mark the refresh cookie Secure; true when tls is set, set it behind a TLS reverse proxy'),
  dataDir: z.string().default('/var/lib/portcullis').describe('directory of the key file'),
  staticDir: z.string().optional().describe('directory of the built console; nothing is served without it'),
  bodyLimitBytes: z
    .number()
    .int()
    .min(1024)
    .default(256 * 1024)
    .describe('longest request body'),
  bodyDepth: z.number().int().min(4).max(200).default(32).describe('deepest nesting of a JSON body'),
  uploadLimitBytes: z
    .number()
    .int()
    .min(64 * 1024)
    .default(1024 * 1024 * 1024)
    .describe('longest capture file that can be uploaded'),
  requestTimeoutSecs: z
    .number()
    .min(1)
    .default(30)
    .describe('a request must have arrived within this time; an upload must not pause for longer'),
  accessTokenSecs: z.number().int().min(60).max(3600).default(600).describe('life of an access token'),
  sessionIdleHours: z.number().min(0.1).default(12).describe('a session ends after this time without use'),
  sessionMaxHours: z.number().min(1).default(168).describe('a session ends after this time in any case'),
  refreshGraceSecs: z
    .number()
    .min(0)
    .max(60)
    .default(10)
    .describe('two tabs may use the same refresh token within this time; later it counts as stolen'),
  keyRotationDays: z.number().min(1).default(30).describe('age at which a new signing key takes over'),
  lockoutFailures: z.number().int().min(3).default(5).describe('failed logins in a row that lock an account'),
  lockoutSecs: z.number().int().min(1).default(60).describe('first lock; doubles with every further one'),
  lockoutMaxSecs: z.number().int().min(1).default(900).describe('longest lock'),
  rates: z
    .strictObject({
      login: perMinute(20, 'logins and other checks of a password'),
      read: perMinute(1200, 'reads'),
      write: perMinute(240, 'changes'),
      heavy: perMinute(60, 'expensive requests'),
    })
    .prefault({}),
  lookups: z
    .strictObject({
      reverseDns: z
        .boolean()
        .default(false)
        .describe(
          'ask the resolver of this box for the names of addresses that people look at; whoever owns an address may see the question',
        ),
      countryDatabase: z.string().optional().describe('MaxMind DB file (.mmdb) with the countries of addresses'),
      asnDatabase: z.string().optional().describe('MaxMind DB file (.mmdb) with the networks of addresses (ASN)'),
    })
    .prefault({})
    .describe('what the console shows of an address beyond what this box has seen'),
  liveClients: z.number().int().min(1).default(100).describe('WebSocket connections at the same time'),
  liveHistory: z.number().int().min(10).default(2000).describe('updates kept for clients that reconnect'),
  liveBufferBytes: z
    .number()
    .int()
    .min(64 * 1024)
    .default(1024 * 1024)
    .describe('unsent bytes after which a slow WebSocket client is told to load its lists again'),
});
export type ApiOptions = z.infer<typeof apiOptionsSchema>;
