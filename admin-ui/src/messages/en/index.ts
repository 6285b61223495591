import { accounts } from './accounts';
import { blocks } from './blocks';
import { bulk } from './bulk';
import { findings } from './findings';
import { fleet } from './fleet';
import { inline } from './inline';
import { knowledge } from './knowledge';
import { models } from './models';
import { overview } from './overview';
import { policies } from './policies';
import { shell } from './shell';
import { suppressions } from './suppressions';
import { system } from './system';
import { words } from './words';

/** English texts: short, plain, one word for one thing (see the glossary in docs). */
export const en = {
  ...words,
  ...shell,
  ...overview,
  ...findings,
  ...blocks,
  ...bulk,
  ...policies,
  ...knowledge,
  ...suppressions,
  ...models,
  ...system,
  ...fleet,
  ...inline,
  ...accounts,
};
