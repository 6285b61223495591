import { onMounted, onUnmounted, type Ref } from 'vue';

/** Calls `run` when the pointer goes down anywhere else. */
export function onClickOutside(box: Ref<HTMLElement | null>, run: () => void): void {
  const listener = (event: PointerEvent): void => {
    if (!box.value?.contains(event.target as Node)) run();
  };
  onMounted(() => window.addEventListener('pointerdown', listener));
  onUnmounted(() => window.removeEventListener('pointerdown', listener));
}
