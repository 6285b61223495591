import { ref, type Ref } from 'vue';
import { ApiError } from '@/api/errors';

export interface Submit {
  busy: Ref<boolean>;
  /** What the server refused it for; empty otherwise. */
  refused: Ref<string>;
  /** Somebody has tried to send it: what is missing may be shown. */
  tried: Ref<boolean>;
  submit: () => Promise<void>;
}

/** Sends a form once at a time; a refusal is shown in the form, a bug stays an exception. */
export function useSubmit(
  ready: () => boolean,
  send: () => Promise<void>,
  onRefused: (cause: ApiError) => void = () => undefined,
): Submit {
  const [busy, refused, tried] = [ref(false), ref(''), ref(false)];
  async function submit(): Promise<void> {
    tried.value = true;
    refused.value = '';
    if (!ready()) return;
    busy.value = true;
    try {
      await send();
    } catch (cause) {
      if (!(cause instanceof ApiError)) throw cause;
      refused.value = cause.problems[0]?.message ?? cause.message;
      onRefused(cause);
    } finally {
      busy.value = false;
    }
  }
  return { busy, refused, tried, submit };
}
