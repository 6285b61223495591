import { createPinia, setActivePinia } from 'pinia';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { effectScope, nextTick, shallowRef } from 'vue';
import { ApiError } from '@/api/errors';
import { policiesApi } from '@/api/policies';
import type { PolicyDetail } from '@/api/types';
import { usePolicyText, type PolicyText } from '@/composables/use-policy-text';

const version = (number: number, yaml: string): PolicyDetail =>
  ({ name: 'scan', version: number, yaml, versions: [], actor: 'bob' }) as unknown as PolicyDetail;

describe('the text of a policy that another operator changes meanwhile', () => {
  const policy = shallowRef<PolicyDetail | null>(null);
  let edit: PolicyText;
  beforeEach(async () => {
    setActivePinia(createPinia());
    policy.value = null;
    edit = effectScope().run(() => usePolicyText(policy))!;
    policy.value = version(3, 'three');
    await nextTick();
  });

  it('stays, and says that it is based on an older version', async () => {
    edit.text.value = 'mine';
    policy.value = version(4, 'four');
    await nextTick();
    expect([edit.text.value, edit.saved.value, edit.basis.value, edit.stale.value]).toEqual(['mine', 'four', 3, true]);
    edit.basis.value = 4;
    expect(edit.stale.value).toBe(false);
  });

  it('follows while nothing was typed, and when what was typed is discarded', async () => {
    policy.value = version(4, 'four');
    await nextTick();
    expect([edit.text.value, edit.basis.value, edit.stale.value]).toEqual(['four', 4, false]);
    edit.text.value = 'mine';
    policy.value = version(5, 'five');
    await nextTick();
    edit.text.value = edit.saved.value;
    await nextTick();
    expect([edit.basis.value, edit.stale.value]).toEqual([5, false]);
  });

  it('is in force itself after it was saved', async () => {
    edit.text.value = 'mine';
    policy.value = version(4, 'mine');
    await nextTick();
    expect([edit.basis.value, edit.stale.value, edit.dirty.value]).toEqual([4, false, false]);
  });
});

describe('the text of a policy that the server cannot check', () => {
  let edit: PolicyText;
  beforeEach(() => {
    vi.useFakeTimers();
    setActivePinia(createPinia());
    edit = effectScope().run(() => usePolicyText(shallowRef(null)))!;
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });
  const state = () => [edit.problems.value.length, edit.unchecked.value];

  it('has no problem for that, is not called valid, and is checked again by itself', async () => {
    const validate = vi.spyOn(policiesApi, 'validate');
    validate.mockRejectedValueOnce(new ApiError(503, 'store.unavailable', 'The database is away.'));
    expect(await edit.validate()).toBe(true);
    expect(state()).toEqual([0, 'The database is away.']);
    validate.mockResolvedValue({ ok: false, problems: [{ path: 'caps', message: 'bad' }] });
    await vi.advanceTimersByTimeAsync(6000);
    expect(state()).toEqual([1, '']);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(validate).toHaveBeenCalledTimes(2);
  });

  it('has one when the server objects to the text', async () => {
    vi.spyOn(policiesApi, 'validate').mockRejectedValue(new ApiError(400, 'policy.invalid', 'Too long.'));
    expect(await edit.validate()).toBe(false);
    expect(state()).toEqual([1, '']);
  });
});
