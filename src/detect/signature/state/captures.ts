import type { CaptureTest } from '../rule.js';

/** Texts under one scope at most, and bytes of each that are kept. */
const MAX_TEXTS = 32;
const MAX_TEXT_BYTES = 1024;

/** What the groups of patterns have captured, by name; the oldest goes when there are too many. */
export class CapturedTexts {
  readonly #texts = new Map<string, Buffer>();

  get size(): number {
    return this.#texts.size;
  }

  set(name: string, text: string): void {
    this.#texts.delete(name);
    if (this.#texts.size >= MAX_TEXTS) this.#texts.delete(this.#texts.keys().next().value!);
    this.#texts.set(name, Buffer.from(text.slice(0, MAX_TEXT_BYTES), 'latin1'));
  }

  matches({ name, bytes }: CaptureTest): boolean {
    return this.#texts.get(name)?.includes(Buffer.from(bytes)) ?? false;
  }

  clear(): void {
    this.#texts.clear();
  }
}
