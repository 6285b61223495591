import type { Command } from 'commander';
import type { ExplainResponse } from '../contract/http.js';
import { callApi } from './api-client.js';

/** `portcullis explain ADDRESS`: why an address is or is not blocked. */
export function register(program: Command): void {
  program
    .command('explain')
    .description('why an address is or is not blocked: kernel, decisions, exemptions, alerts, policies')
    .argument('<address>', 'address or prefix')
    .option('--port <number>', 'only what concerns this port')
    .option('--config <file>', 'configuration file')
    .option('--json', 'print JSON')
    .action(async (address: string, options: { port?: string; config?: string; json?: boolean }) => {
      const query = new URLSearchParams({ address, ...(options.port === undefined ? {} : { port: options.port }) });
      const answer = (await callApi(options.config, 'GET', `/explain?${query.toString()}`)) as ExplainResponse;
      process.stdout.write(options.json ? `${JSON.stringify(answer, null, 2)}\n` : `${answer.text.join('\n')}\n`);
    });
}
