import { register } from 'tsx/esm/api';

// Entry of the database thread in tests, which run from source.
register();
await import('../../../src/store/worker.ts');
