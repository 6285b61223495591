/** The part of syslog-client 1.1.1 that we use; the package ships no types. */
declare module 'syslog-client' {
  import type { EventEmitter } from 'node:events';

  export interface ClientOptions {
    port?: number;
    transport?: number;
    rfc3164?: boolean;
    appName?: string;
    syslogHostname?: string;
    facility?: number;
    severity?: number;
  }

  export interface LogOptions {
    facility?: number;
    severity?: number;
    rfc3164?: boolean;
    appName?: string;
    syslogHostname?: string;
    timestamp?: Date;
    msgid?: string;
  }

  export interface Client extends EventEmitter {
    log(message: string, options: LogOptions, callback: (error?: Error) => void): Client;
    close(): Client;
  }

  const syslogClient: {
    createClient(target: string, options: ClientOptions): Client;
    Transport: { Tcp: number; Udp: number };
  };
  export default syslogClient;
}
