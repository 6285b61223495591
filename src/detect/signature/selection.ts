import type { JoinedGroup } from './group/joined-group.js';
import type { PatternGroup } from './group/pattern-group.js';
import type { RuleGroups } from './groups.js';
import type { AppView } from './scene.js';

/** The rules that packets of one direction of a flow are looked at for, as long as what they are chosen by stays the same. */
export interface Selection {
  /** What they are chosen by, beside addresses and ports: all rules, application protocol, whether the flow began backwards. */
  groups: RuleGroups;
  app: string | undefined;
  isReversed: boolean;
  /** Rules about headers whose protocol, addresses and ports fit. */
  header: readonly number[];
  /** Rules that ask for nothing but the application protocol. */
  protocol: readonly number[];
  /** Rules about payloads; found when the first payload comes. */
  payload: PatternGroup | undefined;
  /** The same with the rules about streams and bodies. */
  joined: JoinedGroup | undefined;
}

/** Whether it still is the choice: the same rules are in force, and no more is known of the flow's application protocol. */
export function isFor(selection: Selection, groups: RuleGroups, app: AppView | undefined): boolean {
  return (
    selection.groups === groups && selection.app === app?.proto && selection.isReversed === (app?.isReversed ?? false)
  );
}
