import { EntitySchema } from 'typeorm';
import { columns } from '../columns.js';

export interface PasskeyRow {
  id: string;
  user: string;
  name: string;
  /** Credential id of the authenticator, base64url. */
  credentialId: string;
  /** COSE public key, base64url. */
  publicKey: string;
  counter: number;
  /** JSON list of the ways to reach it: usb, internal, ... */
  transports: string;
  createdMs: number;
  lastUsedMs: number;
}

export const passkeyEntity = (): EntitySchema<PasskeyRow> =>
  new EntitySchema<PasskeyRow>({
    name: 'passkey',
    tableName: 'passkeys',
    columns: {
      id: columns.id,
      user: columns.text(32),
      name: columns.text(64),
      credentialId: columns.text(400),
      publicKey: columns.text(1024),
      counter: columns.big,
      transports: columns.text(255),
      createdMs: columns.big,
      lastUsedMs: columns.big,
    },
    indices: [
      { name: 'passkeys_credential', columns: ['credentialId'], unique: true },
      { name: 'passkeys_user', columns: ['user', 'createdMs'] },
    ],
  });
