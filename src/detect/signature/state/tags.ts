import type { Rule, TagSpec } from '../rule.js';
import type { Scene } from '../scene.js';

/** A rule's wish to record what follows its alert. */
interface Tag {
  rule: Rule;
  spec: TagSpec;
  /** Packets or bytes left; without effect for seconds. */
  left: number;
  untilUs: number;
  /** Packets recorded. */
  taken: number;
}

/** Tags of one flow or host; later ones are refused and counted. */
const MAX_TAGS = 10;
/** Hosts tagged at once; the oldest is forgotten. */
const MAX_HOSTS = 4096;
/** Packets of one tag when it is counted in seconds or bytes, so that no alert records without end. */
const MAX_PACKETS = 256;

/** What `tag` asks to record: packets of a session or host after an alert. */
export class Tags {
  readonly #bySlot = new Map<number, Tag[]>();
  readonly #byHost = new Map<string, Tag[]>();
  refused = 0;
  packets = 0;

  get size(): number {
    return this.#bySlot.size + this.#byHost.size;
  }

  /** The rule has raised an alert with the packet at hand. */
  mark(rule: Rule, scene: Scene): void {
    for (const spec of rule.tags) {
      const untilUs = scene.nowUs + (spec.metric === 'seconds' ? spec.count * 1e6 : Infinity);
      const tag: Tag = { rule, spec, left: spec.count, untilUs, taken: 0 };
      if (spec.kind === 'session') {
        if (scene.slot >= 0) this.#add(this.#bySlot, scene.slot, tag);
      } else this.#add(this.#byHost, spec.side === 'src' ? scene.src() : scene.dst(), tag);
    }
  }

  /** The first rule that wants the packet at hand recorded; uses up its tags. */
  take(scene: Scene): Rule | undefined {
    let wanted: Rule | undefined;
    const look = <K>(tags: Map<K, Tag[]>, key: K): void => {
      const all = tags.get(key);
      if (all === undefined) return;
      for (const tag of all) if (this.#uses(tag, scene)) wanted ??= tag.rule;
      const rest = all.filter((tag) => tag.left > 0 && tag.untilUs > scene.nowUs);
      if (rest.length === 0) tags.delete(key);
      else if (rest.length < all.length) tags.set(key, rest);
    };
    look(this.#bySlot, scene.slot);
    if (this.#byHost.size > 0) {
      look(this.#byHost, scene.src());
      look(this.#byHost, scene.dst());
    }
    if (wanted !== undefined) this.packets++;
    return wanted;
  }

  /** The flow is over. */
  forget(slot: number): void {
    this.#bySlot.delete(slot);
  }

  #uses(tag: Tag, scene: Scene): boolean {
    if (scene.nowUs > tag.untilUs || tag.left <= 0) return false;
    tag.taken++;
    if (tag.spec.metric === 'packets') tag.left--;
    else if (tag.taken >= MAX_PACKETS) tag.left = 0;
    else if (tag.spec.metric === 'bytes') tag.left -= scene.packet?.wireLen ?? 0;
    return true;
  }

  #add<K>(tags: Map<K, Tag[]>, key: K, tag: Tag): void {
    const all = tags.get(key) ?? [];
    const same = all.findIndex((t) => t.rule === tag.rule && t.spec === tag.spec);
    // Another alert of the rule begins its count anew.
    if (same >= 0) all[same] = tag;
    else if (all.length < MAX_TAGS) all.push(tag);
    else this.refused++;
    if (!tags.has(key) && tags.size >= MAX_HOSTS) tags.delete(tags.keys().next().value as K);
    tags.set(key, all);
  }
}
