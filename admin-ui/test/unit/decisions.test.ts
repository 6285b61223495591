import { flushPromises } from '@vue/test-utils';
import { createPinia, setActivePinia } from 'pinia';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { api } from '@/api';
import { ApiError } from '@/api/errors';
import type { Decision, DecisionDetail } from '@/api/types';
import { useFollowMany } from '@/components/blocks/follow-many';
import { useDecisions } from '@/stores/decisions';
import { useUi } from '@/stores/ui';
import { makeDecision } from '../support/mock-data';

const pending = (fields: Partial<Decision> = {}): Decision =>
  makeDecision('203.0.113.7', { enforcement: 'pending', ...fields });
const detail = (decision: Decision): DecisionDetail => ({ decision, history: [], alerts: [] });
const REQUEST = { value: '203.0.113.7', durationSecs: 3600, reason: 'test' };

describe('an action on a block', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    setActivePinia(createPinia());
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.useRealTimers();
  });

  it('stays pending until the kernel has confirmed it', async () => {
    const decision = pending();
    vi.spyOn(api, 'addDecision').mockResolvedValue(decision);
    const asked = vi.spyOn(api, 'decision').mockResolvedValue(detail(decision));
    const ui = useUi();
    const decisions = useDecisions();
    await decisions.block(REQUEST);
    await vi.advanceTimersByTimeAsync(1700);
    expect(asked).toHaveBeenCalled();
    expect(ui.toasts.map((t) => t.tone)).toEqual(['pending']);

    decisions.see({ ...decision, enforcement: 'applied' });
    await flushPromises();
    expect(ui.toasts.map((t) => t.tone)).toEqual(['ok']);
  });

  it('turns green by asking when the live feed is silent', async () => {
    const decision = pending();
    vi.spyOn(api, 'addDecision').mockResolvedValue(decision);
    vi.spyOn(api, 'decision').mockResolvedValue(detail({ ...decision, enforcement: 'applied' }));
    const ui = useUi();
    await useDecisions().block(REQUEST);
    await vi.advanceTimersByTimeAsync(800);
    expect(ui.toasts.map((t) => t.tone)).toEqual(['ok']);
  });

  it('is never green when it was only simulated', async () => {
    const decision = pending({ simulated: true, mode: 'observe' });
    vi.spyOn(api, 'addDecision').mockResolvedValue(decision);
    const ui = useUi();
    const decisions = useDecisions();
    await decisions.block(REQUEST);
    decisions.see({ ...decision, enforcement: 'applied' });
    await flushPromises();
    expect(ui.toasts.map((t) => t.tone)).toEqual(['sim']);
  });

  it('says why the responder refused it', async () => {
    const decision = pending();
    vi.spyOn(api, 'addDecision').mockResolvedValue(decision);
    const ui = useUi();
    const decisions = useDecisions();
    await decisions.block(REQUEST);
    decisions.see({ ...decision, enforcement: 'rejected', error: 'it is the gateway' });
    await flushPromises();
    expect(ui.toasts[0]).toMatchObject({ tone: 'danger', text: '203.0.113.7 was not applied: it is the gateway' });
  });

  it('warns when no word comes from the kernel', async () => {
    const decision = pending();
    vi.spyOn(api, 'addDecision').mockResolvedValue(decision);
    vi.spyOn(api, 'decision').mockRejectedValue(new ApiError(0, 'network.unreachable', 'away'));
    const ui = useUi();
    await useDecisions().block(REQUEST);
    await vi.advanceTimersByTimeAsync(22_000);
    expect(ui.toasts.map((t) => t.tone)).toEqual(['warn']);
  });

  it('leaves a refusal of the server to the dialog', async () => {
    vi.spyOn(api, 'addDecision').mockRejectedValue(new ApiError(409, 'decision.protected', 'protected'));
    await expect(useDecisions().block(REQUEST)).rejects.toMatchObject({ code: 'decision.protected' });
    expect(useUi().toasts).toEqual([]);
  });

  it('can be undone: a release blocks again for the time that was left', async () => {
    const decision = makeDecision('203.0.113.7', { createdMs: Date.now() - 600_000, durationSecs: 3600 });
    vi.spyOn(api, 'releaseDecision').mockResolvedValue({ ...decision, enforcement: 'revoked' });
    const again = vi.spyOn(api, 'addDecision').mockResolvedValue(pending());
    const ui = useUi();
    await useDecisions().release(decision, 'false alarm');
    await flushPromises();
    expect(ui.toasts[0]?.tone).toBe('ok');
    ui.toasts[0]?.undo?.run();
    await flushPromises();
    expect(again).toHaveBeenCalledWith(
      expect.objectContaining({ value: '203.0.113.7', action: 'block', durationSecs: 3000 }),
    );
  });

  it('offers no undo for the release of what was only proposed: it would come back as a real block', async () => {
    const decision = makeDecision('203.0.113.7', { simulated: true, mode: 'suggest' });
    vi.spyOn(api, 'releaseDecision').mockResolvedValue({ ...decision, enforcement: 'revoked' });
    const ui = useUi();
    await useDecisions().release(decision, 'not wanted');
    await flushPromises();
    expect(ui.toasts[0]).toMatchObject({ tone: 'ok', undo: undefined });
  });

  it('on many turns green when the kernel has the last of them', async () => {
    const decision = pending();
    vi.spyOn(api, 'decision').mockResolvedValue(detail(decision));
    const ui = useUi();
    const decisions = useDecisions();
    void useFollowMany()(['one', decision.id], { goal: 'applied', name: '2 decisions', done: '2 blocks made' });
    await flushPromises();
    expect(ui.toasts.map((t) => t.tone)).toEqual(['pending']);
    decisions.see({ ...decision, enforcement: 'applied' });
    await flushPromises();
    expect(ui.toasts[0]).toMatchObject({ tone: 'ok', text: '2 blocks made' });
  });
});
