import { defineStore } from 'pinia';
import { ref, shallowRef } from 'vue';

export type Theme = 'system' | 'dark' | 'light';
export type ToastTone = 'pending' | 'ok' | 'sim' | 'warn' | 'danger';

export interface Toast {
  id: number;
  tone: ToastTone;
  text: string;
  undo?: { label: string; run: () => void } | undefined;
}

export interface ConfirmRequest {
  title: string;
  /** What will happen, a sentence each. */
  lines: string[];
  confirm: string;
  danger?: boolean;
  /** Asks for a reason and hands it over. */
  reason?: { label: string; value: string; secret?: boolean };
}

export interface BlockRequest {
  value: string;
  reason?: string;
  scope?: 'ip' | 'cidr' | 'service';
  port?: number;
  proto?: number;
}

/** What an alert offers to suppress by. */
export interface SuppressRequest {
  gid?: number;
  signatureId?: number;
  label?: string;
  offender?: string;
  victim?: string;
}

const THEME_KEY = 'portcullis.theme';
const TOAST_MS = 8000;
/** Somebody who uses the keyboard, or has the page read out, needs longer to get to "Undo". */
const UNDO_MS = 20_000;

export const useUi = defineStore('ui', () => {
  const theme = ref<Theme>((localStorage.getItem(THEME_KEY) as Theme | null) ?? 'system');
  const toasts = ref<Toast[]>([]);
  const confirmRequest = shallowRef<(ConfirmRequest & { answer: (reason: string | null) => void }) | null>(null);
  const addressMenu = shallowRef<{ address: string; anchor: HTMLElement } | null>(null);
  const blockDialog = shallowRef<BlockRequest | null>(null);
  const allowDialog = shallowRef<{ value: string } | null>(null);
  const suppressDialog = shallowRef<SuppressRequest | null>(null);
  const helpOpen = ref(false);
  /** The pointer or the focus is on the messages: none goes away meanwhile. */
  const toastsHeld = ref(false);
  let lastId = 0;

  function setTheme(next: Theme): void {
    theme.value = next;
    localStorage.setItem(THEME_KEY, next);
    applyTheme(next);
  }

  function toast(tone: ToastTone, text: string, undo?: Toast['undo']): number {
    lastId += 1;
    toasts.value = [...toasts.value.slice(-3), { id: lastId, tone, text, undo }];
    if (tone !== 'pending') expire(lastId);
    return lastId;
  }

  /** Changes a toast in place, for example from pending to confirmed. */
  function update(id: number, tone: ToastTone, text: string): void {
    const found = toasts.value.find((t) => t.id === id);
    if (found) toasts.value = toasts.value.map((t) => (t.id === id ? { ...t, tone, text } : t));
    else toasts.value = [...toasts.value.slice(-3), { id, tone, text, undo: undefined }];
    if (tone !== 'pending') expire(id);
  }

  function expire(id: number): void {
    const undoable = toasts.value.some((t) => t.id === id && t.undo);
    const end = (): void => {
      if (toastsHeld.value) window.setTimeout(end, TOAST_MS);
      else dismiss(id);
    };
    window.setTimeout(end, undoable ? UNDO_MS : TOAST_MS);
  }

  function dismiss(id: number): void {
    toasts.value = toasts.value.filter((t) => t.id !== id);
    // What goes away under the pointer or the focus tells of neither.
    toastsHeld.value = false;
  }

  /** Takes back what a message offers to take back; without an id, of the newest that does. */
  function undo(id?: number): void {
    const toast = toasts.value.findLast((t) => t.undo && (id === undefined || t.id === id));
    if (!toast) return;
    dismiss(toast.id);
    toast.undo?.run();
  }

  /** Asks; resolves to the reason (empty without one), or null when the user stepped back. */
  function confirm(request: ConfirmRequest): Promise<string | null> {
    return new Promise((resolve) => {
      confirmRequest.value = {
        ...request,
        answer: (reason) => {
          confirmRequest.value = null;
          resolve(reason);
        },
      };
    });
  }

  function closeDialogs(): void {
    confirmRequest.value?.answer(null);
    addressMenu.value = blockDialog.value = allowDialog.value = suppressDialog.value = null;
    helpOpen.value = false;
  }

  return {
    theme,
    toasts,
    toastsHeld,
    confirmRequest,
    addressMenu,
    blockDialog,
    allowDialog,
    suppressDialog,
    helpOpen,
    setTheme,
    toast,
    update,
    dismiss,
    undo,
    confirm,
    closeDialogs,
  };
});

const prefersDark = () => window.matchMedia('(prefers-color-scheme: dark)');

/** Writes the theme to the root element, where the design tokens read it. */
export function applyTheme(theme: Theme): void {
  const dark = theme === 'dark' || (theme === 'system' && prefersDark().matches);
  document.documentElement.dataset['theme'] = dark ? 'dark' : 'light';
}

/** Applies the stored theme before the first paint and follows the system afterwards. */
export function startTheme(): void {
  const stored = () => (localStorage.getItem(THEME_KEY) as Theme | null) ?? 'system';
  applyTheme(stored());
  prefersDark().addEventListener('change', () => applyTheme(stored()));
}
