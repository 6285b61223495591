import { ref, watch, type Ref } from 'vue';
import { useRoute, useRouter } from 'vue-router';

/** A text that lives in the address bar as `?name=...`, so a filtered screen can be reloaded and shared. */
export function useUrlText(name: string, initial = ''): Ref<string> {
  const route = useRoute();
  const router = useRouter();
  const read = (): string => (typeof route.query[name] === 'string' ? route.query[name] : initial);
  const value = ref(read());
  const path = route.path;

  watch(value, (next) => {
    if (next === read()) return;
    const query = { ...route.query };
    if (next === initial) delete query[name];
    else query[name] = next;
    void router.replace({ query });
  });
  watch(
    () => route.query[name],
    () => {
      if (route.path === path) value.value = read();
    },
  );
  return value;
}
