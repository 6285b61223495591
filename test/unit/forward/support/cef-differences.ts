import type { SiemEvent } from '../../../../src/domain/siem-event.js';
import type { Formatter } from '../../../../src/forward/index.js';
import { cleanText, cutText } from '../../../../src/forward/text.js';
import { checkCefField } from './cef-facts.js';
import type { ParsedCef } from './cef-parser.js';
import { loadMutant } from './mutant.js';

/** What a text is after cleaning, before any escaping: the model that parsed values must equal. */
function model(text: string, max: number): string {
  return cutText(cleanText(text).replace(/\t/g, ' ').trim(), max).trim();
}

/** Differences between an event and its parsed line. */
export function differences(event: SiemEvent, parsed: ParsedCef): string[] {
  const wanted = new Map<string, string>([['msg', model(event.message, 1023)]]);
  let name = '';
  if (event.kind === 'alert') {
    name = event.title;
    wanted.set('cat', model(event.category, 1023));
    wanted.set('app', model(event.appProto ?? '', 31));
    wanted.set('cs3', model(event.communityId ?? '', 4000));
    wanted.set('cs5', model(event.label, 4000));
    wanted.set('deviceInboundInterface', model(event.interfaceName ?? '', 128));
    const item = event.evidence[0];
    if (item) wanted.set('cs6', model(`${item.name}=${item.value}`, 4000));
  } else if (event.kind === 'decision') {
    wanted.set('cs5', model(event.policy ?? '', 4000));
    wanted.set('cs6', model(event.set ?? '', 4000));
    wanted.set('suser', model(event.user ?? '', 1023));
    wanted.set('reason', model(event.error === undefined ? event.reason : `${event.reason}: ${event.error}`, 1023));
    wanted.set('flexString2', model(event.signature ?? '', 1023));
  }
  const out: string[] = [];
  const oneLine = cutText(
    cleanText(name)
      .replace(/[\t\r\n]+/g, ' ')
      .trim(),
    512,
  ).trim();
  if (event.kind === 'alert' && parsed.header.name !== oneLine) out.push(`name ${parsed.header.name}`);
  for (const [key, value] of wanted) if ((parsed.extensions.get(key) ?? '') !== value) out.push(key);
  for (const [key, value] of parsed.extensions) {
    const problem = checkCefField(key, value);
    if (problem !== '') out.push(problem);
  }
  return out;
}

/** The escaping broken in four ways: proof that a reader notices. */
export const MUTANTS: readonly (readonly [string, readonly [string, string]])[] = [
  ['equals signs are not escaped in values', [".replace(/[\\\\=]/g, '\\\\$&')", ".replace(/[\\\\]/g, '\\\\$&')"]],
  ['backslashes are not escaped in values', [".replace(/[\\\\=]/g, '\\\\$&')", ".replace(/[=]/g, '\\\\$&')"]],
  ['pipes are escaped in values', [".replace(/[\\\\=]/g, '\\\\$&')", ".replace(/[\\\\=|]/g, '\\\\$&')"]],
  ['pipes are not escaped in the header', [".replace(/[\\\\|]/g, '\\\\$&')", ".replace(/[\\\\]/g, '\\\\$&')"]],
];

export async function mutantFormatter(replace: readonly [string, string]): Promise<Formatter> {
  return (await loadMutant<{ formatCef: Formatter }>('src/forward/formats/cef.ts', replace)).formatCef;
}
