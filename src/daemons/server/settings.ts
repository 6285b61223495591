import { MODES, type Mode } from '../../domain/decision.js';
import type { SettingRepository } from '../../store/index.js';
import type { LearningTime, Settings } from './parts.js';

/**
 * Mode and pause. The operator's last choice survives a restart, until the mode in the configuration file is changed:
 * then the file wins. What another server that shares the database has stored since is taken over by `refresh`.
 */
export async function loadSettings(
  repository: SettingRepository,
  configured: Mode,
  changed: () => void,
): Promise<Settings> {
  /** Counts what we wrote or were told: what was read meanwhile may be older. */
  let writes = 0;
  let isReading = false;
  let stored = await readStored(repository);
  const chosen = stored.mode;
  let mode = chosen?.configured === configured && isMode(chosen.mode) ? chosen.mode : configured;
  let { pausedUntilMs, learning } = stored;

  async function write(name: 'mode' | 'paused_until_ms' | 'learning', value: unknown, actor: string): Promise<void> {
    writes++;
    try {
      await repository.set(name, value, actor);
    } finally {
      writes++;
    }
  }

  async function setMode(next: Mode, actor: string): Promise<void> {
    const row = { mode: next, configured };
    await write('mode', row, actor);
    stored = { ...stored, mode: row };
    mode = next;
    changed();
  }
  async function setLearning(next: LearningTime | null, actor: string): Promise<void> {
    await write('learning', next, actor);
    learning = next;
  }

  return {
    learning: () => learning,
    async learn(next, actor) {
      await setLearning(next, actor);
      if (next) await setMode('observe', actor);
      else changed();
    },
    async tick(nowMs) {
      if (!learning || nowMs < learning.untilMs) return;
      const { thenMode } = learning;
      learning = null;
      await setLearning(null, 'server');
      await setMode(thenMode, 'server');
    },
    async refresh() {
      if (isReading) return;
      isReading = true;
      const before = writes;
      const read = await readStored(repository).finally(() => (isReading = false));
      if (writes !== before) return;
      const was = JSON.stringify([mode, pausedUntilMs, learning]);
      // Only what has been set since: a server whose file says another mode keeps it until somebody chooses.
      if (JSON.stringify(read.mode) !== JSON.stringify(stored.mode) && isMode(read.mode?.mode)) mode = read.mode.mode;
      ({ pausedUntilMs, learning } = read);
      stored = read;
      if (JSON.stringify([mode, pausedUntilMs, learning]) !== was) changed();
    },
    mode: () => mode,
    pausedUntilMs: () => pausedUntilMs,
    async setMode(next, actor) {
      // Whoever sets the mode by hand ends the learning.
      if (learning) await setLearning(null, actor);
      await setMode(next, actor);
    },
    async pauseUntil(ms, actor) {
      await write('paused_until_ms', ms, actor);
      pausedUntilMs = ms;
      changed();
    },
    adoptPause(ms) {
      writes++;
      if (ms === pausedUntilMs) return;
      pausedUntilMs = ms;
      changed();
    },
  };
}

interface Stored {
  mode: { mode?: unknown; configured?: unknown } | undefined;
  pausedUntilMs: number;
  learning: LearningTime | null;
}

async function readStored(repository: SettingRepository): Promise<Stored> {
  const mode = (await repository.get('mode')) as Stored['mode'];
  const paused = await repository.get('paused_until_ms');
  const learning = (await repository.get('learning')) as LearningTime | undefined | null;
  return { mode, pausedUntilMs: typeof paused === 'number' ? paused : 0, learning: learning ?? null };
}

function isMode(value: unknown): value is Mode {
  return typeof value === 'string' && (MODES as readonly string[]).includes(value);
}
