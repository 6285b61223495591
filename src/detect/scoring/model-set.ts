import type { FeatureSchema } from '../../domain/feature.js';
import type { Logger } from '../../util/logger.js';
import { loadBundle, type LoadedBundle } from './bundle.js';
import type { WorkerLink } from './worker-link.js';

export interface ReloadReport {
  dir: string;
  ok: boolean;
  model?: string;
  /** Why it was refused; the model loaded before stays. */
  reason?: string;
}

/** A challenger that scores what its champion scores and reports nothing. */
export interface Shadow {
  dir: string;
  /** Folder of the champion. */
  of: string;
}

interface Active {
  key: number;
  dir: string;
  bundle: LoadedBundle;
}

export interface ModelSetDeps {
  log: Logger;
  schemas: readonly FeatureSchema[];
  /** The models change now: what was taken in while the old ones scored must be on its way to them. */
  beforeSwap(): void;
}

/** The models that score, one for each configured folder; changed only when a new one is ready in the worker. */
export class ModelSet {
  refused = 0;
  private active: Active[] = [];
  private shadows: (Active & { of: string })[] = [];
  private dirs: readonly string[];
  private shadowDirs: readonly Shadow[] = [];
  private nextKey = 1;
  private readonly link: WorkerLink;
  private readonly deps: ModelSetDeps;

  constructor(dirs: readonly string[], link: WorkerLink, deps: ModelSetDeps) {
    this.dirs = dirs;
    this.link = link;
    this.deps = deps;
  }

  has(schema: string): boolean {
    return this.active.some((a) => a.bundle.card.schema.name === schema);
  }

  count(): number {
    return this.active.length;
  }

  forSchema(schema: string): Map<number, LoadedBundle> {
    return new Map(this.active.filter((a) => a.bundle.card.schema.name === schema).map((a) => [a.key, a.bundle]));
  }

  /** Challengers of a schema: key of the challenger, its bundle, and the key of its champion. */
  shadowsOf(schema: string): { key: number; bundle: LoadedBundle; champion: number }[] {
    return this.shadows.flatMap(({ key, bundle, of }) => {
      const champion = this.active.find((a) => a.dir === of && a.bundle.card.schema.hash === bundle.card.schema.hash);
      return champion && bundle.card.schema.name === schema ? [{ key, bundle, champion: champion.key }] : [];
    });
  }

  /** Scores nothing from now on: the worker keeps dying. */
  clear(): void {
    this.shadows = [];
    this.active = [];
  }

  /** Loads every folder; then swaps in what was accepted, and drops models of folders no longer wanted. */
  async reload(
    dirs: readonly string[] = this.dirs,
    shadowDirs: readonly Shadow[] = this.shadowDirs,
  ): Promise<ReloadReport[]> {
    this.dirs = dirs;
    this.shadowDirs = shadowDirs;
    const reports: ReloadReport[] = [];
    const next: Active[] = [];
    for (const dir of dirs) {
      const { report, active } = await this.load(dir);
      reports.push(report);
      const kept = active ?? this.active.find((a) => a.dir === dir);
      if (kept) next.push(kept);
    }
    const shadows: (Active & { of: string })[] = [];
    for (const { dir, of } of shadowDirs) {
      const { report, active } = await this.load(dir);
      reports.push(report);
      if (active) shadows.push({ ...active, of });
    }
    this.deps.beforeSwap();
    for (const a of this.shadows) this.link.send({ type: 'unload', key: a.key });
    this.shadows = shadows;
    const old = this.active;
    this.active = next;
    for (const a of old) if (!next.includes(a)) this.link.send({ type: 'unload', key: a.key });
    return reports;
  }

  private async load(dir: string): Promise<{ report: ReloadReport; active?: Active }> {
    const loaded = loadBundle(dir, this.deps.schemas);
    if (!loaded.ok) return this.refuse(dir, loaded.reason);
    const { bundle } = loaded;
    const { card } = bundle;
    const key = this.nextKey++;
    const reason = await this.link.load({
      key,
      onnx: new Uint8Array(bundle.onnx),
      features: card.schema.features.length,
      classes: card.classes.length,
      threshold: card.threshold,
      usual: Float32Array.from(card.schema.features, (f) => f.usual.median),
      occlude: bundle.explainer === undefined && card.algorithm !== 'autoencoder',
    });
    if (reason !== undefined) return this.refuse(dir, reason);
    this.deps.log.info({ dir, model: card.name, id: card.id, algorithm: card.algorithm }, 'A model is loaded.');
    return { report: { dir, ok: true, model: card.id }, active: { key, dir, bundle } };
  }

  private refuse(dir: string, reason: string): { report: ReloadReport } {
    this.refused++;
    this.deps.log.error({ dir, reason, kept: this.active.some((a) => a.dir === dir) }, 'A model was refused.');
    return { report: { dir, ok: false, reason } };
  }
}
