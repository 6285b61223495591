/** Only paths of this console are followed: `//host` and `https:` are not. */
export function safeNext(next: unknown): string {
  return typeof next === 'string' && /^\/(?![/\\])/.test(next) ? next : '/';
}
