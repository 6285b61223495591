import { EntitySchema } from 'typeorm';
import { columns, type StoreKind } from '../columns.js';

/** A request of a SIEM or SOAR and its answer, kept so that the same request again does nothing. */
export interface ResponseRequestRow {
  /** SHA-256 of the caller and its idempotency key, hex. */
  keyHash: string;
  id: string;
  atMs: number;
  actor: string;
  source: string;
  /** SHA-256 of the request, hex. */
  bodyHash: string;
  /** JSON; empty while it is being worked on. */
  answer: string;
}

export const responseRequestEntity = (kind: StoreKind): EntitySchema<ResponseRequestRow> =>
  new EntitySchema<ResponseRequestRow>({
    name: 'response_request',
    tableName: 'response_requests',
    columns: {
      keyHash: { ...columns.text(64), primary: true },
      id: columns.ref,
      atMs: columns.big,
      actor: columns.text(80),
      source: columns.text(64),
      bodyHash: columns.text(64),
      answer: columns.json(kind),
    },
    indices: [{ name: 'response_requests_time', columns: ['atMs', 'id'] }],
  });
