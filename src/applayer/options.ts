import { z } from 'zod';

const kib = (value: number, what: string) => z.int().min(1).max(1_048_576).default(value).describe(`${what}, KiB.`);

export const appLayerOptions = z.strictObject({
  maxTransactions: z
    .int()
    .min(4)
    .max(65_536)
    .default(512)
    .describe('Transactions of one flow kept at once; the oldest is given up when there are more.'),
  maxProbeBytes: z
    .int()
    .min(64)
    .max(65_536)
    .default(4096)
    .describe('Bytes of each direction looked at to find the protocol of a flow, bytes.'),
  httpRequestBodyKiB: kib(100, 'Bytes of an HTTP request body kept'),
  httpResponseBodyKiB: kib(100, 'Bytes of a decoded HTTP response body kept'),
  httpHeaderKiB: kib(64, 'Bytes of the header of one HTTP message kept'),
  httpLineKiB: kib(18, 'Bytes of one line of an HTTP message'),
  httpContentEncodings: z
    .int()
    .min(1)
    .max(16)
    .default(3)
    .describe('Content encodings applied to one response that are undone; more are left as they are.'),
  httpMaxExpansion: z
    .int()
    .min(16)
    .max(65_536)
    .default(2048)
    .describe('Decoded bytes for one encoded byte, above which decoding stops.'),
  dnsMaxNames: z.int().min(1).max(4096).default(256).describe('Names of one DNS message kept.'),
  tlsHandshakeKiB: kib(64, 'Bytes of one TLS handshake message kept'),
  mailFileKiB: kib(100, 'Bytes of a file attached to a mail kept'),
  ftpFileKiB: kib(100, 'Bytes of a file transferred by FTP kept'),
  smbFileKiB: kib(100, 'Bytes of a file written or read by SMB kept'),
  mqttMessageKiB: kib(64, 'Bytes of one MQTT message kept'),
  http2BodyKiB: kib(100, 'Bytes of an HTTP/2 body kept'),
  http2HeaderKiB: kib(64, 'Bytes of the header table of an HTTP/2 connection, as both ends may ask for'),
  maxExpected: z
    .int()
    .min(16)
    .max(1_000_000)
    .default(10_000)
    .describe('Data connections that FTP sessions have announced and that are waited for.'),
  sshKexKiB: kib(32, 'Bytes of an SSH key exchange packet kept'),
});
export type AppLayerOptions = z.infer<typeof appLayerOptions>;
export type AppLayerInput = z.input<typeof appLayerOptions>;
