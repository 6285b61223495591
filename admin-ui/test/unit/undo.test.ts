import { createPinia, setActivePinia } from 'pinia';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { useUi } from '@/stores/ui';

describe('a message that offers to undo', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    setActivePinia(createPinia());
  });
  afterEach(() => void vi.useRealTimers());

  it('stays longer than others, and as long as the focus or the pointer is on it', () => {
    const ui = useUi();
    ui.toast('ok', 'plain');
    ui.toast('ok', 'released', { label: 'Undo', run: () => undefined });
    vi.advanceTimersByTime(10_000);
    expect(ui.toasts.map((t) => t.text)).toEqual(['released']);
    ui.toastsHeld = true;
    vi.advanceTimersByTime(60_000);
    expect(ui.toasts).toHaveLength(1);
    ui.toastsHeld = false;
    vi.advanceTimersByTime(10_000);
    expect(ui.toasts).toEqual([]);
    const id = ui.toast('ok', 'closed under the pointer');
    ui.toastsHeld = true;
    ui.dismiss(id);
    ui.toast('ok', 'next');
    vi.advanceTimersByTime(10_000);
    expect(ui.toasts).toEqual([]);
  });

  it('is taken back once, the newest first', () => {
    const ui = useUi();
    const done: string[] = [];
    for (const what of ['first', 'second']) ui.toast('ok', what, { label: 'Undo', run: () => done.push(what) });
    ui.toast('ok', 'plain');
    ui.undo();
    ui.undo();
    ui.undo();
    expect(done).toEqual(['second', 'first']);
    expect(ui.toasts.map((t) => t.text)).toEqual(['plain']);
  });
});
