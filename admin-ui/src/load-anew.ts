/** The path that was loaded anew last; kept over that load, so that it is not tried for ever. */
const TRIED = 'portcullis.loaded-anew';
const ANSWER_MS = 3000;

export interface LoadAnewDeps {
  fetch: typeof fetch;
  storage: Pick<Storage, 'getItem' | 'setItem'>;
  /** Leaves this page and loads another from the server. */
  assign(path: string): void;
  /** The page cannot be shown. */
  tell(): unknown;
}

/**
 * The code of a page could not be loaded. After an upgrade the server no longer has the files of the old console: the page
 * is loaded from it anew, once. While it does not answer this page stays, and the user is told.
 */
export async function loadAnew(path: string, deps: LoadAnewDeps): Promise<void> {
  const answers = await deps
    .fetch('/health', { cache: 'no-store', signal: AbortSignal.timeout(ANSWER_MS) })
    .then((response) => response.ok)
    .catch(() => false);
  if (!answers || deps.storage.getItem(TRIED) === path) {
    deps.tell();
    return;
  }
  deps.storage.setItem(TRIED, path);
  deps.assign(path);
}

/** A page was shown: the next failure may try again. */
export function loadedWell(storage: Pick<Storage, 'removeItem'> = sessionStorage): void {
  storage.removeItem(TRIED);
}
