import type { Command } from 'commander';
import type { ExplainResponse } from '../contract/http.js';
import { AppError } from '../util/errors.js';
import { canonicalAddress } from '../util/ip.js';
import { callApi } from './api-client.js';
import { plain, toJson } from './print.js';

/** `portcullis explain ADDRESS`: why an address is or is not blocked. */
export function register(program: Command): void {
  program
    .command('explain')
    .description('why an address is or is not blocked: kernel, decisions, exemptions, alerts, policies')
    .argument('<address>', 'address or prefix')
    .option('--port <number>', 'what happens to a packet from it to this port')
    .option('--proto <number>', 'IP protocol number, with --port; TCP unless given')
    .option('--config <file>', 'configuration file')
    .option('--json', 'print JSON')
    .action(async (address: string, options: { port?: string; proto?: string; config?: string; json?: boolean }) => {
      if (canonicalAddress(address) === undefined) {
        throw new AppError({
          kind: 'user',
          code: 'explain.bad_address',
          message: `"${address}" is not an address or prefix.`,
          fix: 'Write for example 192.0.2.7, 192.0.2.0/24 or 2001:db8::/64.',
        });
      }
      const query = new URLSearchParams({
        address,
        ...(options.port === undefined ? {} : { port: options.port }),
        ...(options.proto === undefined ? {} : { proto: options.proto }),
      });
      const answer = (await callApi(options.config, 'GET', `/explain?${query.toString()}`)) as ExplainResponse;
      process.stdout.write(options.json ? `${toJson(answer)}\n` : `${answer.text.map(plain).join('\n')}\n`);
    });
}
