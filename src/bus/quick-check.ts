import { z } from 'zod';

type Check = (value: unknown) => boolean;

/**
 * A quick yes for what is plainly in the contract: true only when the schema would accept the value and hand it over
 * unchanged. What gets a no is to be shown to the schema itself, which knows the reason, or that it is right after all.
 * Messages come one at a time after a pause, when nothing is in the processor's caches: the schema's own parser takes
 * several times as long there, because it is so much more code.
 *
 * Values must come from `JSON.parse`: no getters, no `undefined`, no prototypes of their own.
 */
export function createQuickCheck(schema: z.ZodType): Check {
  if (schema instanceof z.ZodObject) return objectCheck(schema);
  if (schema instanceof z.ZodDiscriminatedUnion) return variantCheck(schema);
  if (schema instanceof z.ZodArray && isPlain(schema)) {
    const item = createQuickCheck(schema.element as z.ZodType);
    return (value) => Array.isArray(value) && value.every(item);
  }
  if (schema instanceof z.ZodRecord && schema.keyType instanceof z.ZodString && isPlain(schema.keyType)) {
    const item = createQuickCheck(schema.valueType as z.ZodType);
    return (value) => isDictionary(value) && Object.keys(value).every((key) => key !== '__proto__' && item(value[key]));
  }
  if (schema instanceof z.ZodUnion) {
    const options = schema.options.map((option) => createQuickCheck(option as z.ZodType));
    return (value) => options.some((option) => option(value));
  }
  return leafCheck(schema);
}

function leafCheck(schema: z.ZodType): Check {
  if (schema instanceof z.ZodEnum) return memberCheck(schema.options);
  if (schema instanceof z.ZodLiteral) return memberCheck([...schema.values]);
  if (schema instanceof z.ZodBoolean && isPlain(schema)) return (value) => typeof value === 'boolean';
  if (schema instanceof z.ZodString && isPlain(schema)) return (value) => typeof value === 'string';
  if (schema instanceof z.ZodNumber && isPlain(schema)) {
    return (value) => typeof value === 'number' && Number.isFinite(value);
  }
  // Anything with limits or of a kind not named here: the schema says, and a value that it would replace gets a no.
  return (value) => {
    const result = schema.safeParse(value);
    return result.success && result.data === value;
  };
}

function memberCheck(members: readonly unknown[]): Check {
  return (value) => members.includes(value);
}

/** Without limits, formats and transformations. */
function isPlain({ def }: { def: { checks?: unknown[] | undefined; format?: unknown; coerce?: unknown } }): boolean {
  return (def.checks?.length ?? 0) === 0 && def.format === undefined && def.coerce !== true;
}

/** An unknown key gets a no: the schema would drop or refuse it. */
function objectCheck(schema: z.ZodObject): Check {
  if (!isPlain(schema)) return leafCheck(schema);
  const checks = new Map<string, Check>();
  let required = 0;
  const isRequired = new Set<string>();
  for (const [key, value] of Object.entries(schema.shape)) {
    const isOptional = value instanceof z.ZodOptional;
    checks.set(key, createQuickCheck((isOptional ? value.unwrap() : value) as z.ZodType));
    if (isOptional) continue;
    required++;
    isRequired.add(key);
  }
  return (value) => {
    if (!isDictionary(value)) return false;
    let found = 0;
    for (const key of Object.keys(value)) {
      if (checks.get(key)?.(value[key]) !== true) return false;
      if (isRequired.has(key)) found++;
    }
    return found === required;
  };
}

/** One of several kinds of messages, named by one of their keys. */
function variantCheck(schema: z.ZodDiscriminatedUnion): Check {
  const name = schema.def.discriminator;
  const variants = new Map<unknown, Check>();
  for (const option of schema.options) {
    if (!(option instanceof z.ZodObject)) continue;
    const kind: unknown = option.shape[name];
    if (kind instanceof z.ZodLiteral) for (const value of kind.values) variants.set(value, createQuickCheck(option));
  }
  return (value) => isDictionary(value) && variants.get(value[name])?.(value) === true;
}

function isDictionary(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
