import type { AuthenticationResponseJSON, RegistrationResponseJSON, WebAuthnCredential } from '@simplewebauthn/server';
import { randomUUID } from 'node:crypto';
import type { Store, StoredPasskey } from '../../store/index.js';
import { isIpHost } from '../../util/ip-host.js';
import { uuid7 } from '../../util/uuid7.js';
import { userError, whenUnwritable } from '../errors.js';

/** Loaded when a passkey is first used: certificates and encodings that no start and no command should wait for. */
const webauthn = () => import('@simplewebauthn/server');

const CHALLENGE_MS = 300_000;
const MAX_CHALLENGES = 1000;
const MAX_PASSKEYS = 20;

/** The site as the browser sees it. */
export interface Site {
  /** e.g. `https://fw.example:8443`. */
  origin: string;
  /** Without port: what a passkey is bound to. */
  host: string;
}

interface Challenge {
  challenge: string;
  site: Site;
  /** Who registers; undefined for a login. */
  user: string | undefined;
  expiresMs: number;
}

/** WebAuthn (W3C, level 3): registration and login with discoverable credentials and user verification. */
export interface Passkeys {
  startRegistration(user: string, site: Site): Promise<{ challengeId: string; options: Record<string, unknown> }>;
  /** @throws AppError auth.passkey_invalid */
  register(user: string, challengeId: string, name: string, response: object): Promise<StoredPasskey>;
  startLogin(site: Site): Promise<{ challengeId: string; options: Record<string, unknown> }>;
  /** @returns the user. @throws AppError auth.passkey_invalid */
  login(challengeId: string, response: object): Promise<string>;
}

function invalid(cause?: unknown): Error {
  return userError({
    code: 'auth.passkey_invalid',
    message: 'The passkey was not accepted.',
    fix: 'Try again, or log in with the password.',
    cause,
  });
}

export function createPasskeys(store: Store, now: () => number): Passkeys {
  const challenges = new Map<string, Challenge>();

  function keep(challenge: Omit<Challenge, 'expiresMs'>): string {
    for (const [id, { expiresMs }] of challenges) if (expiresMs <= now()) challenges.delete(id);
    if (challenges.size >= MAX_CHALLENGES) {
      const oldest = challenges.keys().next().value;
      if (oldest !== undefined) challenges.delete(oldest);
    }
    const id = randomUUID();
    challenges.set(id, { ...challenge, expiresMs: now() + CHALLENGE_MS });
    return id;
  }

  /** A challenge counts once. */
  function take(id: string, user: string | undefined): Challenge {
    const found = challenges.get(id);
    challenges.delete(id);
    if (!found || found.expiresMs <= now() || found.user !== user) throw invalid();
    return found;
  }

  function checkSite({ host }: Site): void {
    if (!isIpHost(host)) return;
    throw userError({
      code: 'auth.passkey_host',
      message: 'Passkeys are bound to a host name; this page was opened by its address.',
      fix: 'Open the console by its name, over HTTPS.',
    });
  }

  return {
    async startRegistration(user, site) {
      checkSite(site);
      const known = await store.passkeys.ofUser(user);
      if (known.length >= MAX_PASSKEYS) {
        throw userError({ code: 'auth.too_many_passkeys', message: `Nobody has more than ${MAX_PASSKEYS} passkeys.` });
      }
      const { generateRegistrationOptions } = await webauthn();
      const options = await generateRegistrationOptions({
        rpName: 'Portcullis',
        rpID: site.host,
        userName: user,
        userID: new TextEncoder().encode(user),
        attestationType: 'none',
        excludeCredentials: known.map(({ credentialId }) => ({ id: credentialId })),
        authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      });
      return { challengeId: keep({ challenge: options.challenge, site, user }), options: { ...options } };
    },
    async register(user, challengeId, name, response) {
      const { challenge, site } = take(challengeId, user);
      const { verifyRegistrationResponse } = await webauthn();
      const verified = await verifyRegistrationResponse({
        response: response as RegistrationResponseJSON,
        expectedChallenge: challenge,
        expectedOrigin: site.origin,
        expectedRPID: site.host,
        requireUserVerification: true,
      }).catch((error: unknown) => Promise.reject(invalid(error)));
      if (!verified.verified) throw invalid();
      const { credential } = verified.registrationInfo;
      if (await store.passkeys.byCredential(credential.id)) throw invalid();
      const passkey: StoredPasskey = {
        id: uuid7(),
        user,
        name,
        credentialId: credential.id,
        publicKey: Buffer.from(credential.publicKey).toString('base64url'),
        counter: credential.counter,
        transports: JSON.stringify(credential.transports ?? []).slice(0, 255),
        createdMs: now(),
        lastUsedMs: 0,
      };
      await store.passkeys.add(passkey);
      return passkey;
    },
    async startLogin(site) {
      checkSite(site);
      const { generateAuthenticationOptions } = await webauthn();
      const options = await generateAuthenticationOptions({ rpID: site.host, userVerification: 'required' });
      return { challengeId: keep({ challenge: options.challenge, site, user: undefined }), options: { ...options } };
    },
    async login(challengeId, response) {
      const { challenge, site } = take(challengeId, undefined);
      const answer = response as AuthenticationResponseJSON;
      const passkey = typeof answer.id === 'string' ? await store.passkeys.byCredential(answer.id) : undefined;
      if (!passkey) throw invalid();
      const { verifyAuthenticationResponse } = await webauthn();
      const verified = await verifyAuthenticationResponse({
        response: answer,
        expectedChallenge: challenge,
        expectedOrigin: site.origin,
        expectedRPID: site.host,
        requireUserVerification: true,
        credential: {
          id: passkey.credentialId,
          publicKey: new Uint8Array(Buffer.from(passkey.publicKey, 'base64url')),
          counter: passkey.counter,
          transports: JSON.parse(passkey.transports) as NonNullable<WebAuthnCredential['transports']>,
        },
      }).catch((error: unknown) => Promise.reject(invalid(error)));
      if (!verified.verified) throw invalid();
      const { newCounter } = verified.authenticationInfo;
      const isUsed = await store.passkeys
        .use(passkey.id, newCounter, passkey.counter, now())
        .catch(whenUnwritable('unwritable'));
      if (isUsed === false) throw invalid();
      return passkey.user;
    },
  };
}
