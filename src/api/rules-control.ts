import type {
  RuleCheck,
  RuleDetail,
  RuleFile,
  RuleList,
  RuleListQuery,
  RuleSources,
  RuleUpdateReport,
} from '../contract/http.js';
import type { Actor } from './deps.js';

type Awaitable<T> = T | Promise<T>;

/** What the API asks about signature rules. */
export interface RulesControl {
  list(query: RuleListQuery): Awaitable<RuleList>;
  files(): Awaitable<RuleFile[]>;
  /** @throws AppError rule.not_found */
  get(gid: number, sid: number): Awaitable<RuleDetail>;
  /** @throws AppError rule.not_found, rules.choice_stands, rules.busy */
  setState(
    gid: number,
    sid: number,
    enabled: boolean,
    comment: string | undefined,
    actor: Actor,
  ): Awaitable<RuleDetail>;
  check(text: string): Awaitable<RuleCheck>;
  sources(): Awaitable<RuleSources>;
  lastUpdate(): Awaitable<RuleUpdateReport | null>;
  /** @throws AppError rules.no_such_source, rules.no_sources, rules.busy */
  update(
    request: { sources?: string[] | undefined; force?: boolean | undefined },
    actor: Actor,
  ): Awaitable<RuleUpdateReport>;
  /** @returns sensors that were told. */
  reload(): Awaitable<number>;
}
