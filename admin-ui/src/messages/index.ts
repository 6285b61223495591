import { en } from './en';

/** Every text of the console. Another language is a second object of the same type. */
export const m: typeof en = en;
