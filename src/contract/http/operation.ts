import type { z } from 'zod';
import type { Role, TokenScope } from './common.js';

/** Who may call: nobody known, a logged-in user who must still change the password, or a role and above. */
export type Access = 'public' | 'session' | Role;

/** Rate-limit class of a route. */
export type RateClass = 'login' | 'read' | 'write' | 'heavy';

/** One route of the HTTP API: everything that the server, the OpenAPI document and the tests need to know. */
export interface Operation {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** Below `/api/v1`, parameters as `:id`. */
  path: string;
  summary: string;
  access: Access;
  rate: RateClass;
  params?: z.ZodType;
  query?: z.ZodType;
  body?: z.ZodType;
  /** The body is a file (application/octet-stream), streamed to the handler, instead of JSON. */
  upload?: true;
  status: 200 | 201 | 204;
  /** Absent for 204 and downloads. */
  response?: z.ZodType;
  /** The answer is a file of one of these media types, instead of JSON. */
  download?: readonly string[];
  /** Tokens of this scope may use it too; tokens of another limited scope may not. */
  scope?: TokenScope;
  /** API tokens may not use it: it concerns the person who is logged in. */
  personOnly?: boolean;
}

export type OperationMap = Record<string, Operation>;

/** Keeps the literal types of a group of operations, so handlers are typed by their schemas. */
export function defineOperations<const T extends OperationMap>(operations: T): T {
  return operations;
}

type Output<T> = T extends z.ZodType ? z.output<T> : undefined;
export type ParamsOf<T extends Operation> = Output<T['params']>;
export type QueryOf<T extends Operation> = Output<T['query']>;
export type BodyOf<T extends Operation> = Output<T['body']>;
/** A file as the answer of a handler. */
export interface FileAnswer {
  /** Suggested to the browser. */
  name: string;
  /** Media type, one of the operation's. */
  type: string;
  body: Uint8Array | AsyncIterable<Uint8Array | string>;
}

/** What the handler returns and the client receives. */
export type ResponseOf<T extends Operation> = T['response'] extends z.ZodType
  ? z.input<T['response']>
  : T['download'] extends readonly string[]
    ? FileAnswer
    : undefined;
