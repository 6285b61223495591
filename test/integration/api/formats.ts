import type { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';

/** ajv-formats is CommonJS: its default export sits one level down. */
export function addFormats(ajv: Ajv2020): Ajv2020 {
  (formats as unknown as (target: Ajv2020) => void)(ajv);
  return ajv;
}
