/**
 * Reloads one after the other, without anybody waiting for it: a block or a change of mode must not come late because rules are
 * being compiled. Those asked for while one waits are that one.
 * @returns what asks for a reload.
 */
export function createReload(run: () => Promise<void>, failed: (error: unknown) => void): () => void {
  let running = false;
  let isWanted = false;
  return () => {
    isWanted = true;
    if (!running) void work();
  };

  async function work(): Promise<void> {
    running = true;
    while (isWanted) {
      isWanted = false;
      await run().catch(failed);
    }
    running = false;
  }
}
