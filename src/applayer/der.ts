/** One element of BER or DER (X.690): `d[begin .. end]` is its content. */
export interface DerElement {
  /** Identifier octet with class and constructed bit; numbers above 30 are not read. */
  tag: number;
  begin: number;
  end: number;
}

const MAX_CHILDREN = 256;

/** The element at `at`, or undefined when it does not fit before `limit`. */
export function derElement(d: Uint8Array, at: number, limit: number): DerElement | undefined {
  if (at + 2 > limit) return undefined;
  const tag = d[at]!;
  let length = d[at + 1]!;
  let begin = at + 2;
  if (length & 0x80) {
    const n = length & 0x7f;
    if (n === 0 || n > 3 || begin + n > limit) return undefined;
    length = 0;
    for (let i = 0; i < n; i++) length = length * 256 + d[begin + i]!;
    begin += n;
  }
  return begin + length > limit ? undefined : { tag, begin, end: begin + length };
}

/** The elements inside one, at most 256, as far as they are sound. */
export function derChildren(d: Uint8Array, parent: DerElement): DerElement[] {
  const out: DerElement[] = [];
  for (let at = parent.begin; at < parent.end && out.length < MAX_CHILDREN;) {
    const e = derElement(d, at, parent.end);
    if (e === undefined) break;
    out.push(e);
    at = e.end;
  }
  return out;
}

/** An INTEGER of at most six bytes; undefined when it is another type or larger. */
export function derInteger(d: Uint8Array, e: DerElement | undefined): number | undefined {
  if (e === undefined || (e.tag & 0x1f) !== 2 || e.end === e.begin || e.end - e.begin > 6) return undefined;
  let n = d[e.begin]! & 0x80 ? -1 : 0;
  for (let i = e.begin; i < e.end; i++) n = n * 256 + d[i]!;
  return n;
}

/** The only element inside one with a tag of its own, as EXPLICIT tagging has it. */
export function derInside(d: Uint8Array, e: DerElement | undefined): DerElement | undefined {
  return e && derElement(d, e.begin, e.end);
}
