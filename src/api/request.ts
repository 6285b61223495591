import type { Operation, ParamsOf, QueryOf, BodyOf, ResponseOf, OPERATIONS, OperationId } from '../contract/http.js';
import type { AuditInput } from '../store/index.js';
import type { Principal } from './auth/access.js';
import type { ClientInfo } from './auth/login.js';
import type { RequestConnection } from './connections.js';
import type { Actor } from './deps.js';

/** The request as handlers see it; Koa stays outside. */
export interface ApiRequest<T extends Operation> {
  params: ParamsOf<T>;
  query: QueryOf<T>;
  body: BodyOf<T>;
  /** The body of an upload, as it arrives; ends with an error when it is too long or stops coming. */
  upload: AsyncIterable<Uint8Array>;
  principal: T['access'] extends 'public' ? undefined : Principal;
  client: ClientInfo;
  /** For decisions and control: who asks. */
  actor: Actor;
  /** Over which connection it came, for commit-confirm. */
  connection: RequestConnection;
  /** The refresh token of the cookie, on the auth routes. */
  refreshCookie: string | undefined;
  /** Sets the cookie; null removes it. */
  setRefreshCookie(token: string | null, expiresMs?: number): void;
  /** Writes an audit entry in the name of the caller. */
  audit(entry: Omit<AuditInput, 'actor' | 'address' | 'outcome'> & Partial<AuditInput>): Promise<void>;
}

export type Handler<T extends Operation> = (request: ApiRequest<T>) => Promise<ResponseOf<T>> | ResponseOf<T>;
export type Handlers = { [K in OperationId]: Handler<(typeof OPERATIONS)[K]> };
