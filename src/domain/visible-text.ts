/** What a person can read at once, and line breaks and tabs, which each place lays out as it likes. */
const PLAIN = /^[\t\n\r -~]*$/;
/**
 * What shows as nothing, or changes the order of what stands around it: control and format characters with those of
 * writing direction (Unicode UAX #9 2.1 to 2.4), what fonts ignore (UAX #44 Default_Ignorable_Code_Point), separators of
 * lines, halves of surrogate pairs. The selector that colours a picture stays.
 */
const HIDDEN = /(?![\t\n\r])(?!(?<=\p{Extended_Pictographic})\ufe0f)[\p{Cc}\p{Cf}\p{Cs}\p{DI}\u2028\u2029]/gu;

/** `\u202e`, or `\u{e0041}` above U+FFFF. */
function escaped(character: string): string {
  const hex = (character.codePointAt(0) ?? 0).toString(16);
  return hex.length > 4 ? `\\u{${hex}}` : `\\u${hex.padStart(4, '0')}`;
}

/** Text as it is shown to people: what an attacker writes must neither hide nor reorder what stands beside it. */
export function showHidden(text: string): string {
  return PLAIN.test(text) ? text : text.replace(HIDDEN, escaped);
}

/** The same JSON value (RFC 8259 7), with every hidden character written as an escape. */
export function showHiddenInJson(json: string): string {
  if (PLAIN.test(json)) return json;
  const unit = (half: string): string => `\\u${half.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return json.replace(HIDDEN, (character) => character.split('').map(unit).join(''));
}
