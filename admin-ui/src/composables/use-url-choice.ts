import { computed, type WritableComputedRef } from 'vue';
import { useUrlText } from './use-url-text';

/** One of a few words in the address bar as `?name=...`; anything else there counts as the first. */
export function useUrlChoice<V extends string>(name: string, choices: readonly V[]): WritableComputedRef<V> {
  const [first] = choices;
  if (first === undefined) throw new Error('no choices');
  const text = useUrlText(name, first);
  return computed({
    get: () => choices.find((choice) => choice === text.value) ?? first,
    set: (next) => (text.value = next),
  });
}
