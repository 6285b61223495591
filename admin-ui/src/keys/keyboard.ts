/** `?`, `j`, `g i`: one key, or two within a second. Shift is part of the character; Ctrl, Alt and Meta are not ours. */
export type KeyBindings = Record<string, (event: KeyboardEvent) => void>;

const SEQUENCE_MS = 1000;
const layers: KeyBindings[] = [];
let prefix = '';
let prefixAtMs = 0;

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName)) &&
    !(target instanceof HTMLInputElement && ['checkbox', 'radio', 'button'].includes(target.type))
  );
}

/** Enter and Space belong to the control that has the focus. */
function isControl(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest('a, button, summary, input, [role="option"]') !== null;
}

/** True while a dialog or menu is open: page keys rest. */
function isModal(): boolean {
  return document.querySelector('[aria-modal="true"], [role="menu"]') !== null;
}

export function handleKey(event: KeyboardEvent, nowMs = Date.now()): void {
  if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
  // Events that started inside a shadow root (the editor) name their real target in the path.
  const target = event.composedPath()[0] ?? event.target;
  if (isTyping(target) || isModal()) return;
  if ((event.key === 'Enter' || event.key === ' ') && isControl(target)) return;
  const sequence = prefix && nowMs - prefixAtMs <= SEQUENCE_MS ? `${prefix} ${event.key}` : event.key;
  prefix = '';
  for (let i = layers.length - 1; i >= 0; i -= 1) {
    const run = layers[i]?.[sequence];
    if (run) {
      event.preventDefault();
      run(event);
      return;
    }
  }
  const startsSequence = layers.some((layer) => Object.keys(layer).some((keys) => keys.startsWith(`${event.key} `)));
  if (startsSequence) {
    prefix = event.key;
    prefixAtMs = nowMs;
  }
}

/** Adds bindings on top of the ones before; returns their removal. */
export function pushKeys(bindings: KeyBindings): () => void {
  if (layers.length === 0) window.addEventListener('keydown', listener);
  layers.push(bindings);
  return () => {
    const index = layers.indexOf(bindings);
    if (index >= 0) layers.splice(index, 1);
    if (layers.length === 0) window.removeEventListener('keydown', listener);
  };
}

const listener = (event: KeyboardEvent): void => handleKey(event);
