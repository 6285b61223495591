/** Work in small portions: others may run at each `yield`. */
export type Steps<T> = Generator<undefined, T, undefined>;

/** Does all of it at once. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** What takes no time. */
export function* atOnce<T>(value: T): Steps<T> {
  yield;
  return value;
}
