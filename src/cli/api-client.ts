import { readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { certificateFile, openKeys, signLocalToken } from '../api/local/index.js';
import { loadConfig, type LoadedConfig } from '../config/index.js';
import { API_PREFIX, problemSchema } from '../contract/http.js';
import { AppError, errorCode } from '../util/errors.js';

const TIMEOUT_MS = 30_000;

/** The token of the environment, else one signed with the key file: reading that file is the proof of being root here. */
function bearer(config: LoadedConfig): string {
  const token = process.env['PORTCULLIS_TOKEN'];
  if (token !== undefined && token !== '') return token;
  try {
    return signLocalToken(openKeys(config.data_dir, config.api.keyRotationDays, { create: false }), Date.now());
  } catch (error) {
    throw new AppError({
      kind: 'user',
      code: 'cli.no_token',
      message: 'There is no token for the API.',
      fix: 'Set PORTCULLIS_TOKEN to an API token, or run this as root on the box with the configuration of the server.',
      cause: error,
    });
  }
}

function toRequestOptions(config: LoadedConfig, method: string, path: string): RequestOptions {
  const { host, port } = config.api;
  const certificate = certificateFile(config.api, config.data_dir);
  const wildcard: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };
  const common = { host: wildcard[host] ?? host, port, method, path: API_PREFIX + path, timeout: TIMEOUT_MS };
  if (certificate === undefined) return common;
  // The server runs on this box with this very certificate; its name need not be the address we dial.
  return { ...common, ca: readFileSync(certificate), checkServerIdentity: () => undefined };
}

function send(
  options: RequestOptions,
  secure: boolean,
  body: string | undefined,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const request = (secure ? httpsRequest : httpRequest)(options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, text });
      });
      response.on('error', reject);
    });
    request.on('timeout', () => request.destroy(new Error('no answer in time')));
    request.on('error', reject);
    request.end(body);
  });
}

/**
 * One request to the running server.
 * @param configFile configuration file, or undefined for the usual one.
 * @returns the answer's JSON, undefined when it has none.
 * @throws AppError cli.no_token, cli.server_unreachable, or the server's own problem with its code.
 */
export async function callApi(
  configFile: string | undefined,
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  path: string,
  body?: unknown,
): Promise<unknown> {
  const config = await loadConfig(configFile);
  const text = body === undefined ? undefined : JSON.stringify(body);
  const headers = {
    Authorization: `Bearer ${bearer(config)}`,
    ...(text === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) }),
  };
  const options = { ...toRequestOptions(config, method, path), headers };
  const answer = await send(options, certificateFile(config.api, config.data_dir) !== undefined, text).catch(
    (error: unknown) => {
      throw new AppError({
        kind: 'operational',
        code: 'cli.server_unreachable',
        message: `The server does not answer at ${options.host ?? ''}, port ${String(options.port)} (${errorCode(error) || 'no answer'}).`,
        fix: 'Start it with portcullis run or portcullis server, and check api.host and api.port.',
        cause: error,
      });
    },
  );
  const json = answer.text === '' ? undefined : parseAnswer(answer.text);
  if (answer.status < 400) return json;
  throw toError(json);
}

/** @throws AppError cli.bad_answer when something else listens there */
function parseAnswer(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw toError(undefined);
  }
}

function toError(json: unknown): AppError {
  const problem = problemSchema.safeParse(json);
  if (!problem.success) {
    return new AppError({
      kind: 'operational',
      code: 'cli.bad_answer',
      message: 'The server gave no proper answer.',
      fix: 'Check api.host and api.port: another program may listen there.',
    });
  }
  const { status, code, detail, fix, errors = [] } = problem.data;
  const details = errors.map((error) => `\n  ${error.path}: ${error.message}`).join('');
  return new AppError({
    kind: status >= 500 ? 'operational' : 'user',
    code,
    message: detail + details,
    ...(fix === undefined ? {} : { fix }),
  });
}
