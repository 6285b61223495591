/** One transform of a proposal (RFC 7296 3.3.2), or one attribute of a transform of IKEv1 (RFC 2409 appendix A). */
export interface Transform {
  type: number;
  id: number;
}

export const TRANSFORM = { ENCRYPTION: 1, PRF: 2, INTEGRITY: 3, DH: 4 } as const;

/** DES, triple DES, RC5, IDEA, CAST, Blowfish, none (IANA, IKEv2 transform type 1). */
const WEAK_ENCRYPTION = new Set([1, 2, 3, 4, 5, 6, 7, 8, 9, 11]);
/** HMAC of MD5 and SHA-1. */
const WEAK_PRF = new Set([1, 2]);
/** MD5 and SHA-1 in all forms, DES-MAC, KPDK. */
const WEAK_INTEGRITY = new Set([1, 2, 3, 4, 6, 7]);
/** Groups of 768, 1024 and 1536 bits, and 1024 bits with a subgroup. */
const WEAK_DH = new Set([1, 2, 5, 22]);
/** Authenticated encryption needs no integrity algorithm. */
const AEAD = new Set([14, 15, 16, 18, 19, 20, 25, 26, 27, 28]);
const MAX_TRANSFORMS = 128;

const u16 = (d: Uint8Array, at: number): number => (d[at] ?? 0) * 256 + (d[at + 1] ?? 0);

/** The proposals of an SA payload of IKEv2 (RFC 7296 3.3). */
export function readProposals(d: Uint8Array): Transform[][] {
  const out: Transform[][] = [];
  for (let at = 0; at + 8 <= d.length && out.length < 16;) {
    const length = u16(d, at + 2);
    if (length < 8) break;
    out.push(readTransforms(d.subarray(at + 8 + d[at + 6]!, at + length)));
    if (d[at] === 0) break;
    at += length;
  }
  return out;
}

function readTransforms(d: Uint8Array): Transform[] {
  const out: Transform[] = [];
  for (let at = 0; at + 8 <= d.length && out.length < MAX_TRANSFORMS;) {
    const length = u16(d, at + 2);
    if (length < 8) break;
    out.push({ type: d[at + 4]!, id: u16(d, at + 6) });
    at += length;
  }
  return out;
}

/** What is wrong with a proposal, as `app-layer-event` names it. */
export function weaknesses(transforms: readonly Transform[]): string[] {
  const events: string[] = [];
  const of = (type: number): number[] => transforms.filter((t) => t.type === type).map((t) => t.id);
  const encryption = of(TRANSFORM.ENCRYPTION);
  const integrity = of(TRANSFORM.INTEGRITY);
  const hasAead = encryption.some((id) => AEAD.has(id));
  if (encryption.some((id) => WEAK_ENCRYPTION.has(id))) events.push('weak_crypto_enc');
  if (of(TRANSFORM.PRF).some((id) => WEAK_PRF.has(id))) events.push('weak_crypto_prf');
  if (integrity.some((id) => WEAK_INTEGRITY.has(id))) events.push('weak_crypto_auth');
  if (integrity.includes(0) && !hasAead) events.push('weak_crypto_no_auth');
  const groups = of(TRANSFORM.DH);
  if (groups.includes(0)) events.push('weak_crypto_no_dh');
  if (groups.some((id) => WEAK_DH.has(id))) events.push('weak_crypto_dh');
  if (encryption.length === 0) events.push('no_encryption');
  if (transforms.length > 0 && integrity.length === 0 && !hasAead) events.push('invalid_proposal');
  if (transforms.some((t) => t.type < 1 || t.type > 5)) events.push('unknown_proposal');
  return events;
}

/** Attributes of the transforms of an SA payload of IKEv1 (RFC 2408 3.5, 3.6), proposal by proposal. */
export function readAttributes(d: Uint8Array): Transform[] {
  const out: Transform[] = [];
  // Domain of interpretation and situation come first, then proposals, in each of them transforms.
  for (let at = 8; at + 8 <= d.length && out.length < MAX_TRANSFORMS;) {
    const length = u16(d, at + 2);
    if (length < 8) break;
    const end = Math.min(d.length, at + length);
    for (let t = at + 8 + d[at + 6]!; t + 8 <= end;) {
      const size = u16(d, t + 2);
      if (size < 8) break;
      attributesOf(d.subarray(t + 8, Math.min(end, t + size)), out);
      t += size;
    }
    at += length;
  }
  return out;
}

function attributesOf(d: Uint8Array, out: Transform[]): void {
  for (let at = 0; at + 4 <= d.length && out.length < MAX_TRANSFORMS;) {
    const type = u16(d, at);
    if (type & 0x8000) {
      out.push({ type: type & 0x7fff, id: u16(d, at + 2) });
      at += 4;
      continue;
    }
    const length = u16(d, at + 2);
    if (length <= 4 && at + 4 + length <= d.length) {
      let value = 0;
      for (let i = 0; i < length; i++) value = value * 256 + d[at + 4 + i]!;
      out.push({ type, id: value });
    }
    at += 4 + length;
  }
}
