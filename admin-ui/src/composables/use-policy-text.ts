import { computed, onScopeDispose, ref, watch, type Ref } from 'vue';
import { ApiError } from '@/api/errors';
import { policiesApi } from '@/api/policies';
import type { PolicyDetail, PolicyProblem } from '@/api/types';
import { usePolling } from '@/composables/use-polling';
import { useSession } from '@/stores/session';

const VALIDATE_MS = 500;
/** Until a text that could not be checked is tried again. */
const RETRY_MS = 5000;

export interface PolicyText {
  text: Ref<string>;
  /** The text that is in force. */
  saved: Ref<string>;
  dirty: Ref<boolean>;
  /** The version that the text started from. */
  basis: Ref<number>;
  /** Somebody else has put another version in force since the text was started. */
  stale: Ref<boolean>;
  problems: Ref<PolicyProblem[]>;
  checking: Ref<boolean>;
  /** Why the text could not be checked; empty when it was. */
  unchecked: Ref<string>;
  /** True when the server found nothing to object to, also when it could not look: it looks again when the text is saved. */
  validate: () => Promise<boolean>;
}

/** The text of a policy while it is edited: checked by the server after each pause in typing. */
export function usePolicyText(policy: Ref<PolicyDetail | null>): PolicyText {
  const session = useSession();
  const text = ref('');
  const saved = ref('');
  const basis = ref(0);
  const problems = ref<PolicyProblem[]>([]);
  const checking = ref(false);
  const unchecked = ref('');
  const dirty = computed(() => text.value !== saved.value);
  const stale = computed(() => dirty.value && policy.value !== null && policy.value.version !== basis.value);
  let timer = 0;
  let run = 0;

  watch(policy, (next) => {
    if (!next) return;
    // Text that is being edited is not thrown away by a refetch.
    if (!dirty.value) text.value = next.yaml;
    saved.value = next.yaml;
    if (!dirty.value) basis.value = next.version;
  });
  watch(dirty, (isDirty) => {
    if (!isDirty && policy.value) basis.value = policy.value.version;
  });
  watch(text, () => {
    window.clearTimeout(timer);
    if (session.may('analyst')) timer = window.setTimeout(() => void validate(), VALIDATE_MS);
  });
  onScopeDispose(() => window.clearTimeout(timer));

  usePolling(validate, { everyMs: RETRY_MS, wanted: () => unchecked.value !== '' });
  async function validate(): Promise<boolean> {
    run += 1;
    const mine = run;
    checking.value = true;
    try {
      const result = await policiesApi.validate(text.value);
      if (mine === run) [problems.value, unchecked.value] = [result.problems, ''];
      return result.ok;
    } catch (cause) {
      if (!(cause instanceof ApiError)) throw cause;
      const found = toProblems(cause);
      if (mine === run) [problems.value, unchecked.value] = [found, found.length > 0 ? '' : cause.message];
      return found.length === 0;
    } finally {
      if (mine === run) checking.value = false;
    }
  }
  return { text, saved, dirty, basis, stale, problems, checking, unchecked, validate };
}

/** A refusal that says nothing about the text is no problem of the text. */
function toProblems(cause: ApiError): PolicyProblem[] {
  if (cause.isMissing || cause.isPassing) return [];
  return cause.problems.length > 0 ? cause.problems : [{ path: '', message: cause.message }];
}
