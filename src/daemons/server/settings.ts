import { MODES, type Mode } from '../../domain/decision.js';
import type { SettingRepository } from '../../store/index.js';
import type { LearningTime, Settings } from './parts.js';

/**
 * Mode and pause. The operator's last choice survives a restart, until the mode in the configuration file is changed:
 * then the file wins.
 */
export async function loadSettings(
  repository: SettingRepository,
  configured: Mode,
  changed: () => void,
): Promise<Settings> {
  const stored = (await repository.get('mode')) as { mode?: unknown; configured?: unknown } | undefined;
  let mode = stored?.configured === configured && isMode(stored.mode) ? stored.mode : configured;
  const paused = await repository.get('paused_until_ms');
  let pausedUntilMs = typeof paused === 'number' ? paused : 0;
  const stillLearning = (await repository.get('learning')) as LearningTime | undefined | null;
  let learning = stillLearning ?? null;

  async function setMode(next: Mode, actor: string): Promise<void> {
    await repository.set('mode', { mode: next, configured }, actor);
    mode = next;
    changed();
  }
  async function learn(next: LearningTime | null, actor: string): Promise<void> {
    await repository.set('learning', next, actor);
    learning = next;
    if (next) await setMode('observe', actor);
    else changed();
  }

  return {
    learning: () => learning,
    learn,
    async tick(nowMs) {
      if (!learning || nowMs < learning.untilMs) return;
      const { thenMode } = learning;
      learning = null;
      await repository.set('learning', null, 'server');
      await setMode(thenMode, 'server');
    },
    mode: () => mode,
    pausedUntilMs: () => pausedUntilMs,
    async setMode(next, actor) {
      // Whoever sets the mode by hand ends the learning.
      if (learning) await repository.set('learning', null, actor);
      learning = null;
      await setMode(next, actor);
    },
    async pauseUntil(ms, actor) {
      await repository.set('paused_until_ms', ms, actor);
      pausedUntilMs = ms;
      changed();
    },
    adoptPause(ms) {
      if (ms === pausedUntilMs) return;
      pausedUntilMs = ms;
      changed();
    },
  };
}

function isMode(value: unknown): value is Mode {
  return typeof value === 'string' && (MODES as readonly string[]).includes(value);
}
