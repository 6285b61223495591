import { uleb, type Code } from './instructions.js';

export const I32 = 0x7f;
export const I64 = 0x7e;
export const V128 = 0x7b;

/** A function: parameters are the first locals, all i32. */
export interface WasmFunction {
  parameters: number;
  /** True when it leaves one i32. */
  hasResult: boolean;
  /** Types of the further locals. */
  locals: readonly number[];
  body: Code;
  /** Name under which JavaScript finds it. */
  exported?: string;
}

export interface WasmModule {
  /** Functions by index, as `call` names them. */
  functions: readonly WasmFunction[];
  /** Mutable i32 variables, all zero at first. */
  globals: number;
}

const FUNCTION_TYPE = 0x60;
const FUNCTION_EXPORT = 0;
const MUTABLE = 1;

const vector = (items: readonly Code[]): number[] => [...uleb(items.length), ...items.flat()];
const section = (id: number, content: readonly number[]): number[] => [id, ...uleb(content.length), ...content];
const name = (text: string): number[] => vector([...Buffer.from(text)].map((b) => [b]));

/** The binary form (WebAssembly core specification, chapter 5); its memory is imported as `env.memory`. */
export function encodeModule({ functions, globals }: WasmModule): Uint8Array<ArrayBuffer> {
  const types = functions.map((f) => [
    FUNCTION_TYPE,
    ...vector(Array.from({ length: f.parameters }, () => [I32])),
    ...vector(f.hasResult ? [[I32]] : []),
  ]);
  const codes = functions.map((f) => {
    const body = [...vector(f.locals.map((type) => [1, type])), ...f.body, 0x0b];
    return [...uleb(body.length), ...body];
  });
  const exports = functions.flatMap((f, index) =>
    f.exported === undefined ? [] : [[...name(f.exported), FUNCTION_EXPORT, ...uleb(index)]],
  );
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, vector(types)),
    ...section(2, vector([[...name('env'), ...name('memory'), 2, 0, 1]])),
    ...section(3, vector(functions.map((_, i) => uleb(i)))),
    ...section(6, vector(Array.from({ length: globals }, () => [I32, MUTABLE, 0x41, 0, 0x0b]))),
    ...section(7, vector(exports)),
    ...section(10, vector(codes)),
  ]);
}
