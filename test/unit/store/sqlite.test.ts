import { openStore } from '../../../src/store/index.js';
import { repositoryCases } from './repository-cases.js';

repositoryCases('SQLite', () => openStore({ kind: 'sqlite', path: ':memory:' }));
