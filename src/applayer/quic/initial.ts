import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';

/** Keys that protect the Initial packets of one direction; anybody can compute them (RFC 9001 5.2). */
export interface InitialKeys {
  key: Buffer;
  iv: Buffer;
  headerKey: Buffer;
}

const V2 = 0x6b3343cf;
const SALT_V1 = Buffer.from('38762cf7f55934b34d179ae6a4c80cadccbb7f0a', 'hex');
const SALT_V2 = Buffer.from('0dede3def700a6db819381be6e269dcbf9bd2ed9', 'hex');
const SALT_DRAFT_29 = Buffer.from('afbfec289993d24c9e9786f19c6111e04390a899', 'hex');
const SALT_DRAFT_23 = Buffer.from('c3eef712c72ebb5a11a7d2432bb46365bef9f502', 'hex');
const TAG_BYTES = 16;

/** The published salt of a version, or undefined when its first packets are not known to be readable. */
function saltOf(version: number): Buffer | undefined {
  if (version === 1) return SALT_V1;
  if (version === V2) return SALT_V2;
  if (version === 0xfaceb002) return SALT_DRAFT_23;
  const draft = version >>> 8 === 0xff0000 ? version & 255 : 0;
  if (draft >= 29 && draft <= 34) return SALT_DRAFT_29;
  return draft >= 23 && draft <= 28 ? SALT_DRAFT_23 : undefined;
}

/** The first block of HKDF-Expand-Label (RFC 8446 7.1), which is enough for 32 bytes. */
function expand(secret: Uint8Array, label: string, length: number): Buffer {
  const name = `tls13 ${label}`;
  const info = Buffer.from([0, length, name.length, ...Buffer.from(name), 0, 1]);
  return createHmac('sha256', secret).update(info).digest().subarray(0, length);
}

/** @param id destination connection id of the client's first Initial packet. */
export function initialKeys(version: number, id: Uint8Array, isServer: boolean): InitialKeys | undefined {
  const salt = saltOf(version);
  if (salt === undefined) return undefined;
  const initial = createHmac('sha256', salt).update(id).digest();
  const secret = expand(initial, isServer ? 'server in' : 'client in', 32);
  const prefix = version === V2 ? 'quicv2' : 'quic';
  return {
    key: expand(secret, `${prefix} key`, 16),
    iv: expand(secret, `${prefix} iv`, 12),
    headerKey: expand(secret, `${prefix} hp`, 16),
  };
}

/**
 * Removes header protection and encryption of one Initial packet (RFC 9001 5.3, 5.4).
 * @param packet the packet and nothing behind it.
 * @param numberAt where the packet number begins.
 * @returns the frames, or undefined when the packet is not what it should be.
 */
export function openInitial(keys: InitialKeys, packet: Uint8Array, numberAt: number): Uint8Array | undefined {
  const sample = packet.subarray(numberAt + 4, numberAt + 20);
  if (sample.length < 16) return undefined;
  const mask = createCipheriv('aes-128-ecb', keys.headerKey, null).update(sample);
  const header = Buffer.from(packet.subarray(0, numberAt + 4));
  header[0]! ^= mask[0]! & 0x0f;
  const numberBytes = (header[0]! & 3) + 1;
  const nonce = Buffer.from(keys.iv);
  for (let i = 0; i < numberBytes; i++) {
    header[numberAt + i]! ^= mask[1 + i]!;
    nonce[12 - numberBytes + i]! ^= header[numberAt + i]!;
  }
  const begin = numberAt + numberBytes;
  const end = packet.length - TAG_BYTES;
  if (end <= begin) return undefined;
  const open = createDecipheriv('aes-128-gcm', keys.key, nonce);
  open.setAAD(header.subarray(0, begin));
  open.setAuthTag(packet.subarray(end));
  try {
    return Buffer.concat([open.update(packet.subarray(begin, end)), open.final()]);
  } catch {
    return undefined;
  }
}
